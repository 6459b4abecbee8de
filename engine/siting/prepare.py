"""From a question to what the stages work on: hours with what is committed in them, and why each is there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Network
from engine.siting import cases, hour_sets
from engine.siting.case import HOURS_OF_DAY, SitingCase
from engine.siting.cases import Assumptions, Thermal
from engine.siting.criteria import OwnCriteria, read_columns
from engine.siting.hour_sets import HourSet
from engine.siting.hourly_file import HourlyFile
from engine.siting.question import SitingQuestion

_RAMP_NOISE_MW = 1e-6
LoadDataset = Callable[[str], tuple[str, bytes]]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The hours of a study, with the loads that are committed already."""

    case: SitingCase  # the hours that the gate screens
    hours: HourSet  # their positions in the source, weights and reasons
    of_source: int  # hours that the source has


def prepare(question: SitingQuestion, network: Network, load_dataset: LoadDataset | None = None) -> Prepared:
    """Return the hours that a checked question asks for. ``load_dataset`` gives a file by its digest.

    Raises QuestionError for hours that the source does not have and as :func:`check_ramps`, FileFormatError for a file
    that cannot be read.
    """
    year = hours_of(question, network, load_dataset)
    check_ramps(question, year)
    hours = chosen_hours(year, question)
    return Prepared(year.at(hours.hours), hours, len(year))


def prepared_again(
    question: SitingQuestion, network: Network, hours: HourSet, of_source: int, load_dataset: LoadDataset | None = None
) -> Prepared:
    """Return what :func:`prepare` gave when it chose ``hours`` of ``of_source``: only these are made."""
    chosen = None if question.source == "filed" else hours.hours.tolist()
    return Prepared(hours_of(question, network, load_dataset, hours=chosen), hours, of_source)


def hours_of(
    question: SitingQuestion,
    network: Network,
    load_dataset: LoadDataset | None = None,
    *,
    hours: Sequence[int] | None = None,
    thermal: Thermal | None = None,
) -> SitingCase:
    """Return hours of the question's source (positions; None: all) with what is committed.

    ``thermal`` takes the place of the question's rule for least outputs: the market keeps those filed. Raises as
    :func:`prepare`.
    """
    assumed = Assumptions(thermal=thermal or question.thermal, load_scale=question.load_scale, seed=question.seed)
    if question.source == "filed":
        found = cases.as_filed(network)
    elif question.source == "2016":
        found = cases.year_2016(network, assumed, hours)
    else:
        if load_dataset is None:
            raise QuestionError("the file of hours is not at hand")
        name, content = load_dataset(question.dataset)
        found = cases.from_file(network, HourlyFile.read(name, content, network), assumed, hours)
    return with_committed(found, question)


def chosen_hours(year: SitingCase, question: SitingQuestion) -> HourSet:
    """Return the hours of a source that a question chooses, with the reason for each."""
    envelopes = question.envelopes
    if question.choice in {"one", "list"}:
        return hour_sets.listed(year, question.hours or (0,), envelopes)
    if question.choice == "stress":
        return hour_sets.stress(year, envelopes)
    if question.choice == "representative":
        return hour_sets.representative(year, min(question.count, len(year)), envelopes, question.seed)
    return hour_sets.year(year, envelopes)


def with_committed(case: SitingCase, question: SitingQuestion) -> SitingCase:
    """Return the case with every committed load drawn."""
    place = {bus: position for position, bus in enumerate(case.network.buses.ids)}
    for load in question.committed:
        given = case.onsite_mw if load.onsite else None
        case = case.with_load(place[load.bus], load.envelope.level_mw(load.nameplate_mw, case.hour_of_day, given))
    return case


def check_ramps(question: SitingQuestion, year: SitingCase) -> None:
    """Raise QuestionError where on-site resources of single hours let a net load change by more than its ramp bound.

    Of hours that follow each other; each envelope and size with the first such hour and how many there are.
    """
    if year.onsite_mw is None:
        return
    follows = np.flatnonzero(year.hour_of_day[1:] == year.hour_of_day[:-1] % HOURS_OF_DAY + 1) + 1
    found = []
    for own in question.net_envelopes:
        for size in question.screened_mw:
            net, most = own.level_mw(size, year.hour_of_day, year.onsite_mw), own.ramp_share * size
            step = np.abs(net[follows] - net[follows - 1])
            fast = np.flatnonzero(step > most + _RAMP_NOISE_MW)
            if fast.size:
                first = year.labels[follows[fast[0]]]
                found.append(
                    f"less its on-site resources, {own.name!r} at {size:g} MW changes by {step[fast[0]]:.1f} MW into "
                    f"{first}, more than its ramp bound of {most:g} MW an hour, as in {fast.size:,} of {len(year):,} "
                    "hours"
                )
    if found:
        raise QuestionError("; ".join(found))


def own_criteria(
    question: SitingQuestion, network: Network, load_dataset: LoadDataset | None = None
) -> OwnCriteria | None:
    """Return the reader's criteria on a network, None when the question has none.

    Raises QuestionError with every problem of the file, and for a column that it does not have.
    """
    if not question.criteria:
        return None
    if load_dataset is None:
        raise QuestionError("the file of criteria is not at hand")
    content = load_dataset(question.criteria_file)[1]
    columns = read_columns(content.decode("utf-8-sig", errors="replace"), network.buses.ids)
    return OwnCriteria.of(question.criteria, columns, question.group_weights)
