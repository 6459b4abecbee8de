"""What a study's file must hold so that the pages can show it: the store takes these checks and knows no page."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.auction.deliverability import Delivery
from engine.auction.what_if import Comparison
from engine.auction.what_if_jobs import comparison_from_json
from engine.capacity.answer import Answer as WholeAnswer
from engine.capacity.independent import IndependentCheck
from engine.capacity.products import ProductSet
from engine.capacity.promise import Promise
from engine.capacity.question import CapacityQuestion
from engine.capacity.results import CapacityResult, Provenance, Verdict
from engine.distribution.jobs import STUDY_SHAPE
from engine.distribution.methods_job import METHODS_SHAPE
from engine.distribution.question import FeederQuestion
from engine.distribution.several_job import SEVERAL_SHAPE
from engine.errors import EngineError, FileFormatError
from engine.opf.results import OpfAnswer
from engine.pricing.jobs import STUDY_SHAPE as HUBS_SHAPE
from engine.pricing.question import HubQuestion
from engine.redispatch.largest_jobs import SHAPE as LARGEST_SHAPE
from engine.resilience.jobs import STUDY_SHAPE as RESILIENCE_SHAPE
from engine.resilience.question import ResilienceQuestion
from engine.shapes import check_shape
from engine.siting.ac_check import AcReport
from engine.siting.corridors import Corridor
from engine.siting.envelopes import envelope_from_json
from engine.siting.hour_sets import HourSet
from engine.siting.jobs import GATE_SHAPE, MARKET_SHAPE
from engine.siting.largest_job import LARGEST_SHAPE as LARGEST_SIZES_SHAPE
from engine.siting.products import SITING
from engine.siting.question import SitingQuestion
from engine.siting.study_jobs import corridors_from
from engine.siting.versions import unpacked
from engine.siting.year import AGAIN_SHAPE, YEAR_SHAPE
from engine.store.transfer import ImportChecks

Content = Mapping[str, Any]


def _capacity(content: Content) -> None:
    CapacityQuestion.from_json(content["question"])
    check_shape(CapacityResult.from_json(content["result"]), CapacityResult, "the result")
    for name in ("firm_mw", "total_mw"):
        check_shape(content[name], float | None, name)


def _whole(content: Content) -> None:
    check_shape(WholeAnswer.from_json(content), WholeAnswer, "the answer")


def _verdict(content: Content) -> None:
    check_shape(Verdict.from_json(content), Verdict, "the verdict")


def _promise(content: Content) -> None:
    check_shape(Promise.from_json(content), Promise, "the promise")


def _check(content: Content) -> None:
    check_shape(IndependentCheck.from_json(content), IndependentCheck, "the check")


def _largest(content: Content) -> None:
    _kept_files(content)
    for name, kind in LARGEST_SHAPE.items():
        check_shape(content[name], kind, name)


def _delivery(content: Content) -> None:
    check_shape(Delivery.from_json(content), Delivery, "the delivery")


def _comparison(content: Content) -> None:
    check_shape(comparison_from_json(content), Comparison, "the comparison")


def _corridors(content: Content) -> None:
    check_shape(tuple(corridors_from(content)), tuple[Corridor, ...], "the corridors")
    check_shape(content["left_out"], int, "the hours left out")


def _largest_sizes(content: Content) -> None:
    _kept_files(content)
    for name, kind in LARGEST_SIZES_SHAPE.items():
        check_shape(content[name], kind, name)
    _check_origin(content)


def _cleared(content: Content) -> None:
    for award in content["awards"]:
        check_shape({name: str(award[name]) for name in ("applicant", "bus", "envelope")}, dict[str, str], "an award")
        check_shape((float(award["mw"]), float(award["score"])), tuple[float, ...], "an award")
    for refusal in content["refusals"]:
        names = ("applicant", "bus", "envelope", "reason")
        check_shape({name: refusal[name] for name in names}, dict[str, str], "a refusal")
    check_shape(tuple(content["unplaced"]), tuple[str, ...], "those left without")
    for name in ("pairs", "failed"):
        check_shape(content[name], int, name)
    check_shape((float(content["failed_share"]), float(content["allowed_share"])), tuple[float, ...], "the shares")


def _products(content: Content) -> None:
    products = ProductSet.from_json(content)
    check_shape(products, ProductSet, "the product set")
    check_shape(Provenance(**products.provenance), Provenance, "the provenance")


def _gate(content: Content) -> None:
    _kept_files(content)
    for name, kind in GATE_SHAPE.items():
        check_shape(content[name], kind, name)
    HourSet.from_json(content["hours"])
    check_shape(content["check"]["words"], str, "the words of the check")
    _check_origin(content)


def _check_origin(content: Content) -> None:
    if "origin" in content:  # of an answer that came with the program
        check_shape(content["origin"]["computed_at"], str, "when it was computed")
        for name in ("seconds", "processor_s"):
            check_shape(float(content["origin"][name]), float, name)


def _market(content: Content) -> None:
    _kept_files(content)
    for name, kind in MARKET_SHAPE.items():
        check_shape(content[name], kind, name)


def _year(content: Content) -> None:
    _kept_files(content)
    for name, kind in YEAR_SHAPE.items():
        check_shape(content[name], kind, name)
    check_shape(content["check"]["words"], str, "the words of the check")


def _again(content: Content) -> None:
    for name, kind in AGAIN_SHAPE.items():
        check_shape(content[name], kind, name)
    check_shape(content["check"]["words"], str, "the words of the check")


def _feeder_study(content: Content) -> None:
    _kept_files(content)
    for name, kind in STUDY_SHAPE.items():
        check_shape(content[name], kind, name)


def _feeder_methods(content: Content) -> None:
    _kept_files(content)
    for name, kind in METHODS_SHAPE.items():
        check_shape(content[name], kind, name)


def _feeder_several(content: Content) -> None:
    _kept_files(content)
    for name, kind in SEVERAL_SHAPE.items():
        check_shape(content[name], kind, name)


def _hubs_study(content: Content) -> None:
    _kept_files(content)
    for name, kind in HUBS_SHAPE.items():
        check_shape(content[name], kind, name)


def _resilience_study(content: Content) -> None:
    _kept_files(content)
    for name, kind in RESILIENCE_SHAPE.items():
        check_shape(content[name], kind, name)


def _siting_products(content: Content) -> None:
    _products(content["product_set"])
    for name, offer in content["product_set"]["question"][SITING]["offers"].items():
        check_shape({key: offer[key] for key in ("score", "reserve_per_mw")}, dict[str, float], f"the offer {name}")
        envelope_from_json(offer["envelope"])


def _kept_files(content: Content) -> None:
    check_shape(tuple(content["artifacts"]), tuple[str, ...], "the list of artefacts")


def _worded(check: Callable[[Content], object]) -> Callable[[Content], None]:
    """Return ``check`` with every way to fail told in words."""

    def of(content: Content) -> None:
        try:
            check(content)
        except EngineError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise FileFormatError(f"it is not what this version writes: {type(error).__name__} {error}") from error

    return of


CHECKS = ImportChecks(
    answers={
        kind: _worded(check)
        for kind, check in {
            "capacity": _capacity,
            "capacity.question": CapacityQuestion.from_json,
            "capacity.answer": _whole,
            "capacity.prepare": _kept_files,
            "capacity.verify": _verdict,
            "capacity.promise": _promise,
            "capacity.check": _check,
            "capacity.largest": _largest,
            "auction.deliverability": _delivery,
            "auction.what_if": _comparison,
            "siting.question": SitingQuestion.from_json,
            "siting.gate": _gate,
            "siting.market": _market,
            "siting.ac": AcReport.from_json,
            "siting.products": _siting_products,
            "siting.catalogue": unpacked,
            "siting.year": _year,
            "siting.again": _again,
            "siting.largest": _largest_sizes,
            "siting.corridors": _corridors,
            "siting.clear": _cleared,
            "feeder.question": FeederQuestion.from_json,
            "feeder.study": _feeder_study,
            "feeder.methods": _feeder_methods,
            "feeder.several": _feeder_several,
            "hubs.question": HubQuestion.from_json,
            "hubs.study": _hubs_study,
            "resilience.question": ResilienceQuestion.from_json,
            "resilience.study": _resilience_study,
            "network.opf": OpfAnswer.from_json,
        }.items()
    },
    products=_worded(_products),
)
