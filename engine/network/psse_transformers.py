"""Transformers of PSS/E RAW files on the system base: two windings as one branch, three as a star of three.

A winding's ideal ratio t is WINDV in pu of the bus voltage (CW 1), in kV (CW 2) or in pu of NOMV (CW 3). The
impedance is in pu of the system base (CZ 1), of the windings' own MVA (CZ 2), or given by the load loss in W and
the impedance magnitude (CZ 3). It is in pu of the windings' voltages and stands between their ideal ratios, which
carry whatever these differ from the buses': t1 : z : t2 becomes tap t1/t2 with z times t2 squared.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.network.foreign import LEFT_OUT, named
from engine.network.intake import Intake
from engine.network.matpower import branch_ids
from engine.network.psse_records import Line, RawFile, Record

_PAIRS = ("12", "23", "31")


@dataclass(frozen=True, slots=True)
class _Transformer:
    """The records of one transformer and the buses of its windings."""

    head: Record
    impedance: Record
    windings: list[Record]
    ends: list[str]

    @property
    def circuit(self) -> str:
        return self.head.text("CKT", "1")

    @property
    def name(self) -> str:
        return branch_ids(["-".join(self.ends[:-1])], self.ends[-1:], [self.circuit])[0]

    def row(self, at: int, to_bus: str, z: complex, tap: float) -> dict[str, Any]:
        """Return the columns of the branch from winding ``at`` to a bus."""
        winding = self.windings[at]
        a, b, c = (winding.real(f"RATE{number}") for number in (1, 2, 3))
        return {
            "from_bus": self.ends[at], "to_bus": to_bus, "circuit": self.circuit, "kind": "transformer",
            "resistance_pu": z.real, "reactance_pu": z.imag, "tap_ratio": tap, "shift_deg": winding.real("ANG"),
            "rating_a_mw": a or np.inf, "rating_b_mw": b or np.nan, "rating_c_mw": c or np.nan,
        }  # fmt: skip


class Transformers:
    """The transformer section of a file; ``base_kv`` holds the voltage of each bus."""

    def __init__(self, raw: RawFile, intake: Intake, base_kv: Mapping[str, float]) -> None:
        self.raw, self.intake, self.base_kv = raw, intake, base_kv
        self.seen: dict[tuple[str, ...], int] = {}
        self.stars: list[str] = []
        self.corrected: list[str] = []
        self.losses: list[str] = []

    def branches(self, buses: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows of all transformers; star buses and no-load losses are put into ``buses``."""
        rows: list[dict[str, Any]] = []
        for lines in self._groups():
            rows += self._one(lines, buses)
        if self.stars:
            message = f"star buses of three-winding transformers: {named(self.stars)}"
            self.intake.note("star-buses", message, "buses")
        if self.corrected:
            message = f"transformers whose impedance correction table is not applied: {named(self.corrected)}"
            self.intake.note(LEFT_OUT, message, "branches", "warning")
        if self.losses:
            self.intake.note(
                "no-load-loss", f"no-load losses, which are shunts at winding 1: {named(self.losses)}", "buses"
            )
        return rows

    def _groups(self) -> Iterator[list[Line]]:
        """Yield the four or five lines of each transformer."""
        lines = self.raw.sections.get("transformer", [])
        at = 0
        while at < len(lines):
            third = lines[at].fields[2] if len(lines[at].fields) > 2 else None
            size = 4 if (third or "0").strip() in {"", "0"} else 5
            if at + size > len(lines):
                message = f"line {lines[at].number}: a transformer has {len(lines) - at} lines, not {size}"
                self.intake.wrong("transformer", message, "branches")
                return
            yield lines[at : at + size]
            at += size

    def _one(self, lines: list[Line], buses: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        head = self.raw.record("transformer", lines[0], self.intake)
        windings = [self.raw.record("winding", line, self.intake) for line in lines[2:]]
        ends = [head.bus(end) for end in ("I", "J", "K")[: len(windings)]]
        own = _Transformer(head, self.raw.record("transformer impedance", lines[1], self.intake), windings, ends)
        if not self._usable(own):
            return []
        if any(winding.whole("TAB") for winding in windings):
            self.corrected.append(own.name)
        if head.whole("STAT", 1):
            self._no_load_loss(head, buses[ends[0]], own.name)
        ratios = [self._ratio(head, w, self.base_kv[end]) for w, end in zip(windings, ends, strict=True)]
        if len(ends) == 3:
            return self._star(own, ratios, buses)
        z = self._z(own, 0) * ratios[1] ** 2
        row = own.row(0, ends[1], z, ratios[0] / ratios[1])
        return [row | {"branch": own.name, "in_service": head.whole("STAT", 1) != 0}]

    def _usable(self, own: "_Transformer") -> bool:
        """Report a transformer that is there already, hangs on no bus, or has codes that are not known."""
        head, good = own.head, True
        key = (*sorted(own.ends), own.circuit)
        if self.seen.setdefault(key, head.number) != head.number:
            message = f"{head.place}: {own.name} circuit {own.circuit!r} is on line {self.seen[key]} already"
            self.intake.wrong("duplicate-branch", message, "branches")
        for end in own.ends:
            if end not in self.base_kv:
                good = False
                if end:
                    self.intake.wrong("dangling-bus", f"{head.place}: there is no bus {end}", "branches")
        for code, most in (("CW", 3), ("CZ", 3), ("CM", 2)):
            if not 1 <= (given := head.whole(code, 1)) <= most:
                good = False
                self.intake.wrong("code", f"{head.place}: {code} is {given}, not 1 to {most}", "branches")
        if not 0 <= head.whole("STAT", 1) <= 4:
            good = False
            self.intake.wrong("status", f"{head.place}: STAT is {head.whole('STAT', 1)}, not 0 to 4", "branches")
        return good

    def _star(self, own: "_Transformer", ratios: list[float], buses: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        z12, z23, z31 = (self._z(own, at) for at in range(3))
        legs = ((z12 + z31 - z23) / 2, (z12 + z23 - z31) / 2, (z23 + z31 - z12) / 2)
        status = own.head.whole("STAT", 1)
        off = {0: (0, 1, 2), 1: (), 2: (1,), 3: (2,), 4: (0,)}[status]
        star, first = f"{own.name}-star", buses[own.ends[0]]
        buses[star] = {
            "bus": star, "name": f"Star of {own.head.text('NAME') or own.name}", "area": first["area"],
            "zone": first["zone"], "slack": False, "in_service": status != 0,
            "voltage_pu": own.impedance.real("VMSTAR", 1.0), "angle_deg": own.impedance.real("ANSTAR"),
            "load_mw": 0.0, "load_mvar": 0.0, "shunt_mw": 0.0, "shunt_mvar": 0.0,
            "longitude": first["longitude"], "latitude": first["latitude"],
        }  # fmt: skip
        self.stars.append(star)
        return [
            own.row(at, star, z, ratio) | {"branch": f"{own.ends[at]}-{star}", "in_service": at not in off}
            for at, (z, ratio) in enumerate(zip(legs, ratios, strict=True))
        ]

    def _ratio(self, head: Record, winding: Record, base_kv: float) -> float:
        """Return a winding's ratio in pu of its bus's voltage; 0 stands for nominal."""
        code, volts, nominal = head.whole("CW", 1), winding.real("WINDV"), winding.real("NOMV")
        if code == 2:
            ratio = volts / base_kv if base_kv > 0 else 1.0
        elif code == 3:
            ratio = (volts or 1.0) * (nominal / base_kv if nominal > 0 and base_kv > 0 else 1.0)
        else:
            ratio = volts
        if ratio < 0:
            self.intake.wrong("ratio", f"{winding.place}: a ratio of {ratio:g} cannot be", "branches")
        return ratio if ratio > 0 else 1.0

    def _z(self, own: "_Transformer", at: int) -> complex:
        """Return the impedance of a pair of windings, between their ideal ratios, in pu of the system base."""
        pair, impedance = _PAIRS[at], own.impedance
        r, x = impedance.real(f"R{pair}"), impedance.real(f"X{pair}")
        code = own.head.whole("CZ", 1)
        if code == 1:
            return complex(r, x)
        own_mva = impedance.real(f"SBASE{pair}", self.raw.base_mva)
        if own_mva <= 0:
            message = f"{impedance.place}: SBASE{pair} is {own_mva:g} MVA; it must be above 0"
            self.intake.wrong("base", message, "branches")
            return 1j
        if code == 3:  # load loss in W, impedance magnitude in pu
            r = r / 1e6 / own_mva
            if abs(r) > abs(x):
                message = f"{impedance.place}: a load loss of {r:g} pu is more than the impedance of {x:g} pu"
                self.intake.wrong("loss", message, "branches")
                return 1j
            x = math.copysign(math.sqrt(x * x - r * r), x)
        return complex(r, x) * (self.raw.base_mva / own_mva)

    def _no_load_loss(self, head: Record, bus: dict[str, Any], name: str) -> None:
        """Add the conductance of the magnetising branch, MW at 1 pu (CM 1: pu of the system base, CM 2: W)."""
        magnetising = head.real("MAG1")
        if magnetising:
            bus["shunt_mw"] += magnetising * self.raw.base_mva if head.whole("CM", 1) == 1 else magnetising / 1e6
            self.losses.append(name)
