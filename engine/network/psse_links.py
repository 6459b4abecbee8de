"""DC links and FACTS devices of PSS/E RAW files, as the fixed injections that the linear power flow sees."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.network.foreign import LEFT_OUT
from engine.network.intake import Intake
from engine.network.psse_records import Line, RawFile, Record


@dataclass(slots=True)
class Injections:
    """What is drawn at the buses, added up by column and bus, and the lines that say so."""

    columns: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    places: list[tuple[str, str]] = field(default_factory=list)  # (place, bus)

    def load(self, record: Record, bus: str, mw: float, mvar: float = 0.0) -> None:
        """Add what is drawn at a bus."""
        self._add(record, bus, {"load_mw": mw, "load_mvar": mvar})

    def shunt(self, record: Record, bus: str, mw: float, mvar: float) -> None:
        """Add a shunt, MW drawn and Mvar given at 1 pu."""
        self._add(record, bus, {"shunt_mw": mw, "shunt_mvar": mvar})

    def _add(self, record: Record, bus: str, amounts: dict[str, float]) -> None:
        self.places.append((record.place, bus))
        for column, amount in amounts.items():
            self.columns[column][bus] += amount


def dc_links(raw: RawFile, intake: Intake, add: Injections) -> None:
    """Add two-terminal and VSC DC lines and series FACTS devices as injections; say so, and what is left out."""
    _two_terminal(raw, intake, add)
    _vsc(raw, intake, add)
    _facts(raw, intake, add)
    if lines := len(raw.sections.get("multi-terminal dc", [])):
        message = f"multi-terminal DC lines ({lines} lines of data) were left out: add what they draw as load"
        intake.note(LEFT_OUT, message, "buses", "warning")


def _groups(raw: RawFile, section: str, intake: Intake) -> Iterator[tuple[Line, Line, Line]]:
    """Yield the three lines of each DC line."""
    lines = raw.sections.get(section, [])
    if len(lines) % 3:
        intake.wrong("dc-lines", f"line {lines[-1].number}: the {section} data have {len(lines)} lines, not three each")
        return
    yield from zip(lines[::3], lines[1::3], lines[2::3], strict=True)


def _two_terminal(raw: RawFile, intake: Intake, add: Injections) -> None:
    for first, second, third in _groups(raw, "two-terminal dc", intake):
        link = raw.record("two-terminal dc", first, intake)
        rectifier, inverter = (raw.record("dc converter", line, intake) for line in (second, third))
        mode, setting, volts = link.whole("MDC"), link.real("SETVL"), link.real("VSCHD")
        name = link.text("NAME")
        if mode == 0:
            intake.note("dc-lines", f"two-terminal DC line {name} is blocked: it carries nothing", "buses")
            continue
        if mode not in {1, 2} or (mode == 2 and volts <= 0):
            intake.wrong("dc-lines", f"{link.place} {name}: MDC {mode} and VSCHD {volts:g} kV give no power")
            continue
        # MDC 1: MW, metered at the rectifier, or at the inverter if negative; MDC 2: amperes at VSCHD kV.
        power = setting if mode == 1 else setting * volts / 1000.0
        current_ka = abs(power) / volts if volts > 0 else 0.0
        loss = link.real("RDC") * current_ka**2
        drawn = power if setting >= 0 else -power + loss
        add.load(rectifier, rectifier.bus(), drawn)
        add.load(inverter, inverter.bus(), loss - drawn)
        _say(intake, f"two-terminal DC line {name}", (rectifier.bus(), drawn), (inverter.bus(), drawn - loss))


def _vsc(raw: RawFile, intake: Intake, add: Injections) -> None:
    for first, second, third in _groups(raw, "vsc dc", intake):
        link = raw.record("vsc dc", first, intake)
        ends = [raw.record("vsc converter", line, intake) for line in (second, third)]
        types = [end.whole("TYPE", 1) for end in ends]
        name = link.text("NAME")
        if link.whole("MDC", 1) == 0 or 0 in types:
            intake.note("dc-lines", f"VSC DC line {name} is out of service: it carries nothing", "buses")
            continue
        setter = next((at for at, kind in enumerate(types) if kind == 2), None)
        if setter is None:
            intake.wrong("dc-lines", f"{link.place} {name}: no converter sets the power (TYPE 2)")
            continue
        given = ends[setter].real("DCSET")  # MW, positive into the AC network
        other = ends[1 - setter]
        add.load(ends[setter], ends[setter].bus(), -given)
        add.load(other, other.bus(), given)
        _say(intake, f"VSC DC line {name}", (other.bus(), given), (ends[setter].bus(), given))


def _facts(raw: RawFile, intake: Intake, add: Injections) -> None:
    shunts, left_out = 0, []
    for device in raw.records("facts", intake):
        name, mode = device.text("NAME"), device.whole("MODE", 1)
        start, end = device.text("I"), device.text("J", "0")
        if mode == 0:
            continue
        if end == "0":
            shunts += 1
        elif mode == 1:
            power = device.real("PDES")
            add.load(device, device.bus("I"), power)
            add.load(device, device.bus("J"), -power)
            _say(intake, f"series FACTS device {name}", (start, power), (end, power))
        else:
            left_out.append(f"{name} ({start} to {end}, mode {mode})")
    if shunts:
        intake.note(LEFT_OUT, f"shunt FACTS devices, left out as they give no active power: {shunts}", "buses")
    if left_out:
        message = f"series FACTS devices that set no power were left out: {', '.join(left_out)[:300]}"
        intake.note(LEFT_OUT, message, "branches", "warning")


def _say(intake: Intake, what: str, drawn: tuple[str, float], given: tuple[str, float]) -> None:
    if drawn[1] < 0:  # the power flows the other way
        drawn, given = (given[0], -given[1]), (drawn[0], -drawn[1])
    ends = f"{drawn[1]:g} MW drawn at bus {drawn[0]}, {given[1]:g} MW given at bus {given[0]}"
    intake.note("dc-lines", f"{what} is a fixed injection: {ends}", "buses", "warning")
