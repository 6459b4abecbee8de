"""How an answer is computed again without the product's server: a few lines of Python with the question in them."""

import json

from markupsafe import Markup

from components.capacity_answer import Answer
from components.report_html import el

NETWORK_FILE = "network.json"

_HEAD = '''import json
from pathlib import Path

{imports}

content = Path("{file}").read_bytes()
network = Network.from_tables(read_network("{file}", content).tables)
assert network.digest == "{digest}"
question = CapacityQuestion.from_json(json.loads("""
{question}
"""))
{states}
found = answer(network, question, states)
for level in {result}.levels:
    print("at most", level.epsilon, [round(mw, 1) for mw in level.capacity_mw])'''
_IMPORTS = (
    "from engine.capacity.answer import answer",
    "from engine.capacity.jobs import make_states",
    "from engine.capacity.question import CapacityQuestion",
    "from engine.network.model import Network",
    "from engine.network.readers import read_network",
)


def again(answer: Answer) -> list[Markup]:
    """Return the lines that compute the answer again, with what they need beside them."""
    needs = f"Save the network as {NETWORK_FILE}: Network page, Export, JSON."
    if answer.question.uncertainty.kind == "file":
        needs += f" Put the file {_file_of(answer)} beside it."
    return [el("p", needs), el("pre", code(answer))]


def code(answer: Answer) -> str:
    """Return the lines."""
    result = f"dict(found.periods)[{json.dumps(answer.period)}]" if answer.period else "found.result"
    states = "states = make_states(question.uncertainty, network)"
    if answer.question.uncertainty.kind == "file":
        name = json.dumps(_file_of(answer))
        states = f"states = make_states(question.uncertainty, network, file=({name}, Path({name}).read_bytes()))"
    fields = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in answer.question.to_json().items()]
    # Backslashes doubled: the text stands in a string of the code.
    question = "{{\n{}\n}}".format(",\n".join(fields)).replace("\\", "\\\\")
    return _HEAD.format(
        imports="\n".join(_IMPORTS), file=NETWORK_FILE, digest=answer.network.digest, question=question,
        states=states, result=result,
    )  # fmt: skip


def _file_of(answer: Answer) -> str:
    return str(answer.question.uncertainty.parameters.get("filename", "states.csv"))
