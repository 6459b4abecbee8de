"""The question of a study: JSON there and back, every bad field refused by name, and the case that it makes."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from engine.distribution.balanced import ieee33 as bare_ieee33
from engine.distribution.files import to_json
from engine.errors import FileFormatError, NetworkDataError, QuestionError
from engine.resilience.ambiguity import MomentBox, Nominal, TotalVariation, Wasserstein
from engine.resilience.cases import IEEE33_SITES, drawn, fresh, ieee33
from engine.resilience.modules import STANDARD, ModuleType
from engine.resilience.question import ATOMS_SEED, FEEDERS, ResilienceQuestion, shock_features
from engine.resilience.reduction import distances
from engine.resilience.shock_files import to_csv
from tests.engine.resilience import small

SMALL = ResilienceQuestion(scenarios=4, steps=6, seed=7)


def nothing(digest: str) -> tuple[str, bytes]:
    raise AssertionError(digest)


def test_a_question_comes_back_from_json_as_it_went() -> None:
    other = replace(
        SMALL, feeder="ieee123", amplitude=0.2, every_bus=True, doubt="moments", radius=0.5, route="extensive form",
        types=(replace(STANDARD[0], inventory=3), ModuleType("peaker", "generation", 1.0, 1e5, 2, 1)),
    )  # fmt: skip
    for question in (ResilienceQuestion(), SMALL, other):
        told = json.loads(json.dumps(question.to_json(), allow_nan=False))
        back = ResilienceQuestion.from_json(told)
        assert back == question
        assert back.digest == question.digest
    assert len({ResilienceQuestion().digest, SMALL.digest, other.digest}) == 3
    assert ResilienceQuestion.from_json({"scenarios": 50, "steps": 48.0}) == ResilienceQuestion(scenarios=50)


OUTSIDE = {
    "scenarios": (1, "the number of shocks is 1: 2 to"), "steps": (3, "the number of steps is 3: 4 to"),
    "step_min": (0.5, "the length of a step, minutes, is 0.5: 1 to 120"), "seed": (-1, "the seed is -1"),
    "budget": (-5.0, "the budget, $ a year, is -5: 0 to"), "events": (0.0, "the number of events a year is 0"),
    "margin_pu": (0.2, "the margin of voltages, p.u., is 0.2: 0 to 0.05"),
    "weight": (1.5, "the weight of the tail is 1.5"),
    "beta": (1.0, "the level of the tail is 1: 0 to 0.999"), "radius": (math.nan, "the radius of doubt is nan"),
    "atoms": (201, "the number of unseen shocks is 201: 0 to 200"), "gap": (0.0, "the gap is 0"),
    "time_limit_s": (math.inf, "the time, s, is inf"), "fresh": (-1, "the number of fresh shocks is -1"),
    "curve": (21, "the number of budgets of the curve is 21"),
    "rolling": (201, "the number of shocks met without foresight is 201"), "folds": (11, "the number of folds is 11"),
    "doubt": ("chance", "doubt is one of none, total variation, wasserstein, moments, not 'chance'"),
    "route": ("luck", "route is one of decomposition"), "amplitude": (-0.1, "amplitude is -0.1"),
    "variation": (0.0, "variation is 0"), "duration_h": (-1.0, "duration h is -1"),
    "correlation": (2.0, "correlation is 2"), "outage_share": (math.nan, "outage share is nan"),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_every_field_outside_its_range_is_refused_by_name(name: str) -> None:
    value, words = OUTSIDE[name]
    for refuse in (
        lambda: replace(SMALL, **{name: value}).checked(),
        lambda: ResilienceQuestion.from_json(SMALL.to_json() | {name: value}),
    ):
        with pytest.raises(QuestionError) as refused:
            refuse()
        assert words in str(refused.value)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    types = (replace(STANDARD[0], inventory=-1, power_mw=0.0), replace(STANDARD[2], energy_mwh=0.0, payback=3.0))
    wrong = replace(SMALL, types=types, **{name: value for name, (value, _) in OUTSIDE.items()})
    with pytest.raises(QuestionError) as refused:
        wrong.checked()
    told = str(refused.value)
    for _, words in OUTSIDE.values():
        assert words in told
    for words in ("BESS: inventory is -1; it must be 0 to", "BESS: power mw is 0", "DR: energy mwh is 0; it must be",
                  "DR: payback is 3; it must lie between 0 and 2"):  # fmt: skip
        assert words in told


@pytest.mark.parametrize(
    "field",
    [
        {"scenarios": "many"}, {"scenarios": 2.5}, {"scenarios": True}, {"scenarios": None}, {"every_bus": 1},
        {"feeder": 33}, {"budget": [1.0]}, {"budget": "12"}, {"budget": True}, {"seed": math.inf}, {"types": 4},
        {"types": [4]}, {"types": [{"name": "x"}]}, {"types": [{**SMALL.to_json()["types"][0], "colour": "red"}]},
        {"types": [{**SMALL.to_json()["types"][0], "inventory": 1.5}]},
        {"types": [{**SMALL.to_json()["types"][0], "cost": "dear"}]},
        {"types": [{**SMALL.to_json()["types"][0], "name": 7}]},
    ],
)  # fmt: skip
def test_fields_of_another_kind_are_refused(field: dict) -> None:
    with pytest.raises(QuestionError, match=f"cannot be asked with its {next(iter(field))} as given"):
        ResilienceQuestion.from_json(SMALL.to_json() | field)
    with pytest.raises(QuestionError, match="with its step_min, weight, types as given"):
        ResilienceQuestion.from_json({"step_min": [], "seed": 3, "weight": None, "types": [None]})
    with pytest.raises(QuestionError, match="is a table of fields"):
        ResilienceQuestion.from_json(4)


def test_fields_that_no_question_has_and_kinds_that_no_module_has_are_named() -> None:
    with pytest.raises(QuestionError, match="no field 'colour'"):
        ResilienceQuestion.from_json({"colour": "red"})
    kind = {**SMALL.to_json()["types"][0], "kind": "magnet"}
    with pytest.raises(QuestionError, match="BESS: its kind is 'magnet'; it must be one of storage"):
        ResilienceQuestion.from_json({"types": [kind]})


def test_the_case_is_the_worked_one_with_what_was_asked() -> None:
    case = replace(SMALL, events=20.0, margin_pu=0.004, budget=9e4).made(nothing)
    plain = ieee33(seed=7, scenarios=4, steps=6, budget=9e4)
    assert case.digest == replace(plain, events_per_year=20.0, margin_pu=0.004).digest
    assert case.sites == IEEE33_SITES
    wide = replace(SMALL, every_bus=True).made(nothing)
    assert set(wide.sites) == {str(bus) for bus in range(2, 34)}  # all but the source, which is bus 1
    for key in FEEDERS:
        found = replace(SMALL, feeder=key)
        if key in {"ieee37", "ieee123"}:
            assert found.made(nothing).checked().feeder.name


def test_shocks_of_a_file_take_the_place_of_the_generator() -> None:
    plain = SMALL.made(nothing)
    other = fresh(plain, SMALL.model, 3)
    content = to_csv(other, plain.campuses, plain.links)
    case = replace(SMALL, shocks_file="digest").made(lambda digest: (digest, content))
    assert np.array_equal(case.scenarios.draw_mw, other.draw_mw)
    bad = content.replace(repr(1 / 3).encode(), b"0.2")
    assert bad != content
    with pytest.raises(FileFormatError, match=r"probabilities sum to 0\.6"):
        replace(SMALL, shocks_file="digest").made(lambda digest: (digest, bad))


def test_a_meshed_feeder_of_a_file_is_refused_by_its_loop() -> None:
    feeder = bare_ieee33()
    tie = replace(feeder.lines[0], name="tie", from_bus="18", to_bus="33")
    files = {"tree": to_json(feeder), "mesh": to_json(replace(feeder, lines=(*feeder.lines, tie)))}

    def load(digest: str) -> tuple[str, bytes]:
        return "feeder.json", files[digest]

    assert replace(SMALL, feeder="tree").made(load).feeder.digest == feeder.digest
    with pytest.raises(NetworkDataError, match=r"closes a loop of .*\btie\b"):
        replace(SMALL, feeder="mesh").made(load)


def test_what_cannot_be_placed_is_refused_by_name() -> None:
    """Bad budgets, inventories, probabilities and sites."""
    with pytest.raises(QuestionError, match=r"budget, .* is -1"):
        replace(SMALL, budget=-1.0).made(nothing)
    with pytest.raises(QuestionError, match="BESS: inventory is -2"):
        replace(SMALL, types=(replace(STANDARD[0], inventory=-2),)).made(nothing)
    with pytest.raises(NetworkDataError, match="two types of modules have the same name"):
        replace(SMALL, types=(STANDARD[0], STANDARD[0])).made(nothing)
    with pytest.raises(NetworkDataError, match="no type of module"):
        replace(SMALL, types=()).made(nothing)
    case = SMALL.made(nothing)
    with pytest.raises(NetworkDataError, match="the feeder has no bus 99"):
        replace(case, sites=("14", "99")).checked()
    unfair = replace(case.scenarios, probability=np.array([0.5, 0.4, 0.2, 0.1]))
    with pytest.raises(NetworkDataError, match=r"probabilities sum to 1\.2; they must sum to 1"):
        replace(case, scenarios=unfair).checked()


def test_unseen_shocks_have_no_probability_and_are_within_reach() -> None:
    plain, question = SMALL.made(nothing), replace(SMALL, atoms=3, doubt="wasserstein", radius=1.0)
    case = question.made(nothing)
    assert len(case.scenarios) == 7
    assert case.scenarios.probability.tolist() == [0.25] * 4 + [0.0] * 3
    assert np.array_equal(case.scenarios.draw_mw[:4], plain.scenarios.draw_mw)
    unseen = drawn(plain, SMALL.model.shifted(), 3, ATOMS_SEED + 7)
    assert np.array_equal(case.scenarios.draw_mw[4:], unseen.draw_mw)
    costs = np.array([1.0, 1.0, 1.0, 1.0, 50.0, 1.0, 1.0])
    found = question.aim(case).risk(costs, case.scenarios.probability)
    assert found.worst[4] > 0.0
    assert replace(question, radius=0.0).aim(case).risk(costs, case.scenarios.probability).value == 1.0


def test_the_aim_is_what_was_asked() -> None:
    case, share = SMALL.made(nothing), np.full(4, 0.25)
    asked = replace(SMALL, weight=0.3, beta=0.8, radius=0.4)
    told = asked.aim(case)
    assert (told.weight, told.beta, told.ambiguity) == (0.3, 0.8, TotalVariation(0.4))
    assert asked.aim(case, 0.1).ambiguity == TotalVariation(0.1)
    assert asked.aim(case, 0.0).ambiguity == replace(asked, doubt="none").aim(case).ambiguity == Nominal()
    carried = replace(asked, doubt="wasserstein").aim(case).ambiguity
    assert isinstance(carried, Wasserstein)
    assert carried.radius == 0.4
    assert np.array_equal(carried.distance, distances(case.scenarios, case.step_h))
    box = replace(asked, doubt="moments").aim(case).ambiguity
    assert isinstance(box, MomentBox)
    plain = [
        [0.25 * sum(abs(draw - now) for draw in shock[:, at]) for at, now in enumerate(case.schedule_mw)]
        for shock in case.scenarios.draw_mw
    ]
    assert shock_features(case) == pytest.approx(np.array(plain))
    assert box.mean == pytest.approx(share @ np.array(plain))
    assert box.delta == pytest.approx(0.4 * np.std(plain, axis=0))
    with pytest.raises(QuestionError, match="radius of total variation is 3"):
        replace(asked, radius=3.0).aim(case)


def test_a_case_has_a_digest_of_all_that_it_holds() -> None:
    case = small.case()
    given = case.scenarios
    other = [
        replace(case, budget=1.0), replace(case, margin_pu=0.01), replace(case, sites=("C", "E", "D")),
        replace(case, penalties=replace(case.penalties, restore_per_mwh=1.0)),
        replace(case, types=(small.STORE, small.ENGINE, replace(small.RESPONSE, payback=1.0))),
        replace(case, scenarios=replace(given, outage_end=np.minimum(given.end + 1, 8))),
        replace(case, scenarios=replace(given, probability=given.probability[::-1].copy())),
        replace(case, load_share=case.load_share + 0.01), replace(case, ramp_mw_per_min=1.0),
    ]  # fmt: skip
    assert len({each.digest for each in (case, *other)}) == 10
    assert small.case().digest == case.digest
