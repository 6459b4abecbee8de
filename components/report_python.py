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
{solve}
for level in result.levels:
    print("at most", level.epsilon, [round(mw, 1) for mw in level.capacity_mw])'''
_IMPORTS = {
    "engine.capacity.jobs": "make_states",
    "engine.capacity.question": "CapacityQuestion",
    "engine.network.model": "Network",
    "engine.network.readers": "read_network",
}


def again(answer: Answer) -> list[Markup]:
    """Return the lines that compute the answer again, with what they need beside them."""
    needs = f"Save the network as {NETWORK_FILE}: Network page, Export, JSON."
    if answer.question.uncertainty.kind == "file":
        needs += f" Put the file {_file_of(answer)} beside it."
    return [el("p", needs), el("pre", code(answer))]


def code(answer: Answer) -> str:
    """Return the lines."""
    imports = dict(_IMPORTS)
    if answer.deep:
        imports["engine.capacity.answer"] = "answer"
        solve = "result = answer(network, question, states).result"
    else:
        imports |= {"engine.capacity.allocation": "allocate", "engine.capacity.margins": "prepare"}
        solve = "result = allocate(prepare(network, question, states), question)"
    states = "states = make_states(question.uncertainty, network)"
    if answer.question.uncertainty.kind == "file":
        name = json.dumps(_file_of(answer))
        states = f"states = make_states(question.uncertainty, network, file=({name}, Path({name}).read_bytes()))"
    fields = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in answer.question.to_json().items()]
    # Backslashes doubled: the text stands in a string of the code.
    question = "{{\n{}\n}}".format(",\n".join(fields)).replace("\\", "\\\\")
    lines = sorted(f"from {module} import {name}" for module, name in imports.items())
    return _HEAD.format(
        imports="\n".join(lines), file=NETWORK_FILE, digest=answer.network.digest, question=question, states=states,
        solve=solve,
    )  # fmt: skip


def _file_of(answer: Answer) -> str:
    return str(answer.question.uncertainty.parameters.get("filename", "states.csv"))
