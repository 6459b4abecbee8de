"""Operating points that are mixed from round to round: on maps whose fixed point is known."""

import numpy as np
import pytest

from engine.distribution.corrected import _Course
from engine.distribution.linear import Point
from engine.distribution.losses import AcPoint

FIXED = np.array([1.0 + 0.1j, 0.9 - 0.2j])  # a phasor and a flow
SLOPES = np.array([-3.0, 0.5])  # of the map around it: taken as it comes, the first doubles and swings for ever


def ac(phasor: complex, flow: complex) -> AcPoint:
    return AcPoint(Point(np.array([phasor]), np.array([flow])), 0.0, 0.0j, np.array([flow]))


def answered(point: Point) -> AcPoint:
    assert point.flow_mva is not None
    here = np.array([point.phasors[0], point.flow_mva[0]])
    return ac(*(FIXED + SLOPES * (here - FIXED)))


def test_a_linear_map_that_swings_for_ever_is_settled_after_as_many_rounds_as_it_has_directions() -> None:
    """Anderson mixing is a secant method: on a linear map of two directions it needs three points, whatever slopes."""
    course = _Course((0,), (Point(np.array([1.0 + 0.0j])),))
    course.take((ac(1.1 + 0.1j, 0.5 - 0.1j),), 1.0)
    course.go_on()
    errors = []
    for _ in range(4):
        found = answered(course.points[0])
        errors.append(abs(course.points[0].phasors[0] - FIXED[0]))
        course.take((found,), errors[-1])
        course.go_on()
    assert errors[1] > errors[0]
    assert errors[3] == pytest.approx(0.0, abs=1e-9)
    assert course.best == min(errors)


def test_a_point_that_leads_astray_is_left_for_the_best() -> None:
    course = _Course((0,), (Point(np.array([1.0 + 0.0j])),))
    good = ac(1.0 + 0.1j, 0.9 - 0.2j)
    course.take((good,), 1e-3)
    course.go_on()
    course.take((ac(2.0 + 0.0j, 5.0 + 0.0j),), 0.5)
    course.go_on()
    assert course.points == (good.point,)
    assert course.best == 1e-3
