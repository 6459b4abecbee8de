"""Calls to callbacks as a hostile browser would send them: any id, any value, from any session."""

from collections.abc import Mapping
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


def forged_body(output: str, inputs: Mapping[str, Any], states: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the body of a callback request: ``output`` and the keys are ``"<id>.<property>"``.

    Several outputs are written as Dash does, ``"..a.data...b.children.."``. The first input is the trigger.
    """
    names = output.strip(".").split("...") if output.startswith("..") else [output]
    outputs = [_place(name) for name in names]
    return {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "inputs": [{**_place(name), "value": value} for name, value in inputs.items()],
        "state": [{**_place(name), "value": value} for name, value in (states or {}).items()],
        "changedPropIds": [next(iter(inputs))],
    }


def call(
    client: FlaskClient, output: str, inputs: Mapping[str, Any], states: Mapping[str, Any] | None = None
) -> TestResponse:
    """Send a callback request and return the answer, whatever it is."""
    return client.post("/_dash-update-component", json=forged_body(output, inputs, states))


def _place(name: str) -> dict[str, str]:
    element, _, place = name.rpartition(".")
    return {"id": element, "property": place}
