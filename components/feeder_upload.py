"""A feeder of the reader's own: the place where its files are taken in, and what was understood of them."""

from collections.abc import Sequence

from dash import dcc, html

from components import feeder_ids
from components.format import count, number
from components.skeleton import Part, button, facts, state
from engine.distribution.feeder import Feeder
from engine.errors import Problem

ACCEPT = ".json,.csv,.zip,.dss,.txt"
_SHOWN = 60  # problems and notes that are listed


def place(*, read_only: bool) -> html.Div:
    """Return the place. A reader of somebody else's study may look at a file too; taken, it begins a study of his."""
    del read_only
    return html.Div(
        [
            _upload(feeder_ids.UPLOAD, "Choose the files of a feeder", "Files of a feeder", ACCEPT),
            html.P(
                "Our own JSON, CSV tables (or a zip of them), or OpenDSS scripts (.dss) with what they redirect to.",
                className="hr-muted",
            ),
            html.Div(id=f"{feeder_ids.UPLOAD}-shown", **{"aria-live": "polite"}),
            button("Take it", f"{feeder_ids.UPLOAD}-take", primary=True, hidden=True),
            _upload(f"{feeder_ids.UPLOAD}-work", "Choose a CSV of work", "File of work", ".csv,text/csv"),
            html.P(
                "Columns kind (interactive or batch), name, first_hour, last_hour, work, delay_price; hours from 1.",
                className="hr-muted",
            ),
            html.P(id=f"{feeder_ids.UPLOAD}-message", className="hr-feeder-message", role="status"),
            dcc.Store(id=f"{feeder_ids.UPLOAD}-offer"),
        ],
        className="hr-feeder-upload",
    )


def _upload(target: str, label: str, file: str, accept: str) -> html.Div:
    return html.Div(
        dcc.Upload(
            html.Button(label, type="button", className="hr-button"),
            id=target,
            accept=accept,
            multiple=True,
            max_size=-1,  # the server names its limit in words
        ),
        **{"data-siting-upload": file},  # its field gets this name: assets/91_siting_site.js
    )


def understood(feeder: Feeder, notes: Sequence[Problem], title: str) -> html.Div:
    """Return what was understood of a feeder that can be taken."""
    rows: list[tuple[Part, Part]] = [
        ("Name", feeder.name),
        ("Source", f"{feeder.source_bus}, {feeder.bus(feeder.source_bus).kv:g} kV"),
        ("Wires", f"{feeder.wires}"),
        ("Buses", number(len(feeder.buses))),
        ("Lines", number(len(feeder.lines))),
        ("Switches", number(len(feeder.switches))),
        ("Transformers", number(len(feeder.transformers))),
        ("Regulators", number(len(feeder.regulators))),
        ("Loads", f"{len(feeder.loads)}, {number(sum(row.kw for row in feeder.loads))} kW"),
        ("Capacitors", number(len(feeder.capacitors))),
        ("Generators", number(len(feeder.generators))),
        ("Static var generators", number(len(feeder.compensators))),
        ("Data centres", number(len(feeder.centres))),
    ]
    none = (
        None
        if feeder.centres
        else html.P("It has no data centre: nothing is paid, and voltages still show. Select a bus to add one.")
    )
    listed = [note.message for note in notes[:_SHOWN]]
    return html.Div(
        [
            html.H4(title, className="hr-section-title"),
            facts(rows),
            none,
            html.H4(count(len(notes), "note"), className="hr-section-title") if notes else None,
            html.Ul([html.Li(line) for line in listed], className="hr-feeder-notes") if listed else None,
        ]
    )


def refused(reasons: Sequence[str], title: str) -> html.Div:
    """Return every reason why files cannot be taken."""
    more = [f"and {len(reasons) - _SHOWN} more"] if len(reasons) > _SHOWN else []
    words = "Mend this and choose the file again; the question below is as it was."
    head = f"{title} cannot be taken: {count(len(reasons), 'problem')}"
    return state("failed", words, title=head, details=[*reasons[:_SHOWN], *more])
