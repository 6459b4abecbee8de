"""What the Capacity page keeps for good or asks in depth: published products, uploaded states, why a number is so."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callbacks.capacity_answer import Seat, reinforced_gain
from components.capacity_inspector import why_of
from components.capacity_question import file_choices
from components.capacity_results import binding_card, inputs_of, strongest
from components.format import count, megawatts, size
from components.skeleton import parse_element
from engine.capacity.files import read_sample
from engine.capacity.why import why, why_alone
from engine.errors import PermissionDeniedError, QuestionError

DATASET_KIND = "net-demand"


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What the controls hold after an upload."""

    files: list[dict[str, str]]
    value: str
    message: str


def publish(seat: Seat, drawn: Any) -> str:
    """Publish the products of the answer that is drawn; return what is told about it.

    What is the last version already is not published again: an answer that was computed once more has another
    date and nothing else.

    Raises QuestionError when there is nothing to publish, PermissionDeniedError for a reader.
    """
    answer = seat.answer(drawn)
    if answer is None:
        raise QuestionError("compute the answer before publishing its products")
    if seat.desk.services.studies.get(seat.user, seat.study).role != "owner":
        raise PermissionDeniedError(
            "this study is shared with you to read: duplicate it to publish products of your own"
        )
    products = seat.desk.checked(seat.user, seat.study, answer)
    if products is None or not products.products:
        raise QuestionError("there are no products to publish")
    content = json.loads(json.dumps(products.to_json()))
    amount = f"{count(len(products.products), 'product')}, {megawatts(products.total_mw())}"
    last = next(iter(seat.desk.services.products.list(seat.user, seat.study)), None)
    if last is not None and _same(last.product_set, content):
        return f"Nothing changed: version {last.version} is these {amount}"
    version = seat.desk.services.products.publish(seat.user, seat.study, content, content["witness"])
    words = f"Published version {version}: {amount}"
    verdict = products.witness.verdict
    return words if verdict is None else f"{words}. Checked apart: {verdict.words}"


def _same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether two product sets are the same products of the same question on the same inputs."""
    digests = ("network_digest", "question_digest", "uncertainty_digest")
    origins = [[content["provenance"][name] for name in digests] for content in (before, now)]
    return origins[0] == origins[1] and before["products"] == now["products"]


def binding_card_for(seat: Seat, drawn: Any) -> Any:
    """Return the card of the limit that binds most. Raises QuestionError when it is not drawn any more."""
    answer = seat.answer(drawn)
    binding = None if answer is None else strongest(answer)
    if answer is None or binding is None:
        raise QuestionError("this number is not drawn any more")
    return binding_card(answer, binding, reinforced_gain(answer, binding))


def why_card_for(seat: Seat, drawn: Any, selection: Any, name: str) -> Any:
    """Return the card of a number of the selected bus: ``site0`` is its firm part with the others, ``alone1`` the
    first risk level if only it took load. Raises QuestionError when that number is not drawn any more.
    """
    answer = seat.answer(drawn)
    element = parse_element(selection)
    kind, level = name[:-1], int(name[-1])
    if answer is None or element is None or element[0] != "bus" or level >= len(answer.alone.epsilons):
        raise QuestionError("this number is not drawn any more: select the bus again")
    epsilon = answer.alone.epsilons[level]
    if kind == "site":
        found = why(answer.prepared, answer.question, answer.result, element[1], epsilon)
    else:
        found = why_alone(answer.prepared, answer.question, element[1], epsilon)
    return why_of(found, inputs_of(answer))


def read_upload(seat: Seat, filename: str, content: bytes) -> Uploaded:
    """Keep a file of net demand with the study once it can be read for its network. Raises EngineError in words."""
    network = seat.network()
    sample = read_sample(filename, content, network)
    entry = seat.desk.services.studies.add_dataset(seat.user, seat.study, filename, DATASET_KIND, content)
    listed = [row for row in seat.desk.services.studies.datasets(seat.user, seat.study) if row.kind == DATASET_KIND]
    files = file_choices(listed)
    value = f"{entry.digest}:{entry.name}"
    return Uploaded(
        files=[{"value": key, "label": text} for key, text in files],
        value=value,
        message=f"{filename}, {size(len(content))}: {count(len(sample.net_demand_mw), 'state')} read",
    )
