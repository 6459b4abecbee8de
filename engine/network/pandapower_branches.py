"""pandapower's lines, transformers and impedances in per unit, as its linear power flow takes them.

Source: the element descriptions in pandapower's documentation. A transformer's impedance stands at its low
voltage side; its magnetising branch sits in the middle of the series impedance (the "t" model).
"""

import cmath
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from engine.network.foreign import LEFT_OUT, Row
from engine.network.intake import Intake

_UNLIMITED_KA = 99_999.0  # what pandapower's own converters write for no rating
_UNLIMITED_MVA = 99_999.0
_SIDES = ("hv", "mv", "lv")
_SWITCH_RX = 2.0  # resistance over reactance of a closed switch with impedance, the default of rundcpp


class Elements(Protocol):
    """What the branches need of a network file."""

    intake: Intake

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the elements of a table."""

    def bus(self, row: Row, column: str = "bus") -> str:
        """Return our bus of an element."""


@dataclass(slots=True)
class _Coil:
    """A two-winding transformer, or one leg of a star of three."""

    hv_kv: float
    lv_kv: float
    shift_deg: float
    z: complex  # pu of the rated values, per MVA
    y: complex  # magnetising, in MVA
    parallel: float = 1.0


class Branches:
    """The branches of a network; ``bus_of`` gives our bus for each index of pandapower's."""

    def __init__(self, net: Elements, bus_of: Mapping[int, str], base_mva: float, f_hz: float) -> None:
        self.net, self.bus_of, self.base_mva, self.f_hz = net, bus_of, base_mva, f_hz
        self.opened: dict[tuple[str, int], set[int]] = {}  # (switch type, element) -> buses at which it is open
        self.table = self._characteristics()

    def rows(self, buses: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows of all branches, with their names; star buses are put into ``buses``."""
        for row in self.net.rows("switch"):
            if row.text("et") in {"l", "t", "t3"} and not row.flag("closed"):
                key = (row.text("et"), int(row.number("element", -1.0)))
                self.opened.setdefault(key, set()).add(int(row.number("bus", -1.0)))
        rows = [
            *self._lines(buses), *self._transformers(buses), *self._stars(buses), *self._impedances(),
            *self._switches(buses),
        ]  # fmt: skip
        if self.opened:
            message = f"branches out of service because a switch at them is open: {len(self.opened)}"
            self.net.intake.note("switches", message, "branches")
        loops = [row["branch"] for row in rows if row["from_bus"] == row["to_bus"]]
        if loops:
            message = f"branches left out because closed switches join their ends: {len(loops)}"
            self.net.intake.note(LEFT_OUT, message, "branches")
        return [row for row in rows if row["from_bus"] != row["to_bus"]]

    def _row(self, row: Row, ends: tuple[str, str], z: complex = 0j, **more: Any) -> dict[str, Any]:
        return {
            "branch": row.place, "name": row.text("name"), "from_bus": ends[0], "to_bus": ends[1], "kind": "line",
            "resistance_pu": z.real, "reactance_pu": z.imag, "in_service": row.flag("in_service"), **more,
            **row.own("branches"),
        }  # fmt: skip

    def _lines(self, buses: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in self.net.rows("line"):
            ends = self.net.bus(row, "from_bus"), self.net.bus(row, "to_bus")
            volts = buses[ends[0]]["base_kv"] if ends[0] else 0.0
            if volts <= 0:
                self.net.intake.wrong("base-kv", f"{row.place}: its bus has a voltage of {volts:g} kV", "branches")
                continue
            length, parallel = row.finite("length_km", 1.0), row.number("parallel", 1.0)
            if parallel <= 0:
                self.net.intake.wrong("parallel", f"{row.place}: parallel is {parallel:g}", "branches")
                continue
            base = volts**2 / self.base_mva
            z = complex(row.finite("r_ohm_per_km"), row.finite("x_ohm_per_km")) * length / parallel / base
            charging = 2 * math.pi * self.f_hz * row.finite("c_nf_per_km") * 1e-9 * length * parallel * base
            current = row.number("max_i_ka", math.inf)
            rating = current * row.number("df", 1.0) * parallel * volts * math.sqrt(3)
            rating = math.inf if current >= _UNLIMITED_KA else rating * _loading(row)
            on = row.flag("in_service") and ("l", row.index) not in self.opened
            yield self._row(row, ends, z, charging_pu=charging, rating_a_mw=rating, in_service=on)

    def _impedances(self) -> Iterator[dict[str, Any]]:
        for row in self.net.rows("impedance"):
            ends = self.net.bus(row, "from_bus"), self.net.bus(row, "to_bus")
            own_mva = row.number("sn_mva", self.base_mva)
            if own_mva <= 0:
                self.net.intake.wrong("base", f"{row.place}: sn_mva is {own_mva:g}; it must be above 0", "branches")
                continue
            z = complex(row.finite("rft_pu"), row.finite("xft_pu")) / own_mva * self.base_mva
            yield self._row(row, ends, z)

    def _switches(self, buses: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in self.net.rows("switch"):
            if row.text("et") != "b" or not row.flag("closed") or row.finite("z_ohm") <= 0:
                continue
            ends = self.net.bus(row, "bus"), self.net.bus(row, "element")
            volts = buses[ends[0]]["base_kv"] if ends[0] else 0.0
            if volts > 0:
                z = row.finite("z_ohm") * complex(_SWITCH_RX, 1.0) / abs(complex(_SWITCH_RX, 1.0))
                yield self._row(row, ends, z / (volts**2 / self.base_mva))

    def _transformers(self, buses: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in self.net.rows("trafo"):
            ends = self.net.bus(row, "hv_bus"), self.net.bus(row, "lv_bus")
            own_mva, parallel = row.number("sn_mva"), row.number("parallel", 1.0)
            if own_mva <= 0 or parallel <= 0:
                message = f"{row.place}: sn_mva {own_mva:g} and parallel {parallel:g} must be above 0"
                self.net.intake.wrong("base", message, "branches")
                continue
            vk, vkr = row.finite("vk_percent"), row.finite("vkr_percent")
            coil = _Coil(row.number("vn_hv_kv"), row.number("vn_lv_kv"), row.number("shift_degree"), 0j, 0j, parallel)
            vk, vkr = self._tap_table(row, coil, vk, vkr)
            coil.z = complex(vkr, math.copysign(math.sqrt(max(vk**2 - vkr**2, 0.0)), vk)) / 100 / own_mva
            coil.y = _magnetising(row.number("i0_percent"), own_mva, row.number("pfe_kw"))
            for which in ("", "2"):
                _tap(row, coil, which, {"hv": "hv", "lv": "lv"}.get(row.text(f"tap{which}_side"), ""))
            unlimited = own_mva >= _UNLIMITED_MVA
            rating = math.inf if unlimited else own_mva * row.number("df", 1.0) * parallel * _loading(row)
            on = row.flag("in_service") and ("t", row.index) not in self.opened
            if made := self._coil(row, coil, ends, buses):
                yield self._row(row, ends, rating_a_mw=rating, **made | {"in_service": on})

    def _stars(self, buses: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
        count = 0
        for row in self.net.rows("trafo3w"):
            ends = [self.net.bus(row, f"{side}_bus") for side in _SIDES]
            own_mva = [row.number(f"sn_{side}_mva") for side in _SIDES]
            if min(own_mva) <= 0 or not all(ends):
                if all(ends):
                    message = f"{row.place}: the rated powers {own_mva} must be above 0"
                    self.net.intake.wrong("base", message, "branches")
                continue
            count += 1
            star, first = f"{row.place} star", buses[ends[0]]
            on = row.flag("in_service")
            buses[star] = {
                "bus": star, "name": f"Star of {row.text('name') or row.place}"[:200], "base_kv": first["base_kv"],
                "zone": first["zone"], "slack": False, "in_service": on, "load_mw": 0.0, "load_mvar": 0.0,
                "shunt_mw": 0.0, "shunt_mvar": 0.0, "bus_index": None,
            }  # fmt: skip
            open_at = {self.bus_of.get(bus) for bus in self.opened.get(("t3", row.index), set())}
            for side, end, mva, coil in zip(_SIDES, ends, own_mva, self._legs(row, own_mva), strict=True):
                pair = (end, star) if side == "hv" else (star, end)
                if made := self._coil(row, coil, pair, buses):
                    leg = self._row(row, pair, rating_a_mw=mva * _loading(row), **made)
                    name = row.text("name")
                    called = {"branch": f"{row.place} {side}", "name": f"{name} {side}" if name else ""}
                    yield leg | called | {"in_service": on and end not in open_at}
        if count:
            self.net.intake.note("star-buses", f"three-winding transformers, with a star bus each: {count}", "buses")

    def _legs(self, row: Row, own_mva: list[float]) -> list[_Coil]:
        """Return the three legs; short-circuit voltages hold between pairs of windings, on the smaller power."""
        pairs = []
        for at, side in enumerate(_SIDES):  # hv-mv, mv-lv, hv-lv
            mva = min(own_mva[at % 3], own_mva[(at + 1) % 3])
            vk, vkr = row.number(f"vk_{side}_percent"), row.number(f"vkr_{side}_percent")
            pairs.append(complex(vkr, math.sqrt(max(vk**2 - vkr**2, 0.0))) / 100 / mva)
        hm, ml, hl = pairs
        high = row.number("vn_hv_kv")
        shifts = (0.0, row.number("shift_mv_degree"), row.number("shift_lv_degree"))
        legs = [
            _Coil(high, row.number(f"vn_{side}_kv"), shift, z / 2, 0j)
            for side, shift, z in zip(_SIDES, shifts, (hm + hl - ml, hm + ml - hl, hl + ml - hm), strict=True)
        ]
        legs[0].y = _magnetising(row.number("i0_percent"), own_mva[0], row.number("pfe_kw"))
        side = row.text("tap_side")
        if side in _SIDES:
            at_star = row.flag("tap_at_star_point", False)
            outer = "hv" if side == "hv" else "lv"
            _tap(row, legs[_SIDES.index(side)], "", ("lv" if outer == "hv" else "hv") if at_star else outer, at_star)
        return legs

    def _coil(self, row: Row, coil: _Coil, ends: tuple[str, str], buses: Mapping[str, Any]) -> dict[str, Any]:
        if not all(ends):
            return {}
        high, low = (buses[end]["base_kv"] for end in ends)
        if min(high, low, coil.hv_kv, coil.lv_kv) <= 0:
            message = f"{row.place}: the voltages of its buses and windings must be above 0"
            self.net.intake.wrong("base-kv", message, "branches")
            return {}
        volts = (coil.lv_kv / low) ** 2 * self.base_mva
        z, y = coil.z * volts / coil.parallel, coil.y / volts * coil.parallel
        ratios = [row.number(f"leakage_{part}_ratio_hv", 0.5) for part in ("resistance", "reactance")]
        near = complex(z.real * ratios[0], z.imag * ratios[1])
        z += near * (z - near) * y  # the middle of the T, seen from its ends
        ratio = coil.hv_kv / coil.lv_kv * low / high
        return {"kind": "transformer", "z": z, "tap_ratio": ratio, "shift_deg": coil.shift_deg}

    def _characteristics(self) -> dict[tuple[float, float], Row]:
        rows = self.net.rows("trafo_characteristic_table")
        return {(row.number("id_characteristic", -1.0), row.number("step")): row for row in rows}

    def _tap_table(self, row: Row, coil: _Coil, vk: float, vkr: float) -> tuple[float, float]:
        """Apply the row of a tap's characteristic table; return the short-circuit voltages it gives."""
        if not row.flag("tap_dependency_table", False):
            return vk, vkr
        found = self.table.get((row.number("id_characteristic_table", -1.0), row.number("tap_pos")))
        if found is None:
            self.net.intake.note("tap-table", f"{row.place}: its tap table has no such step", "branches", "warning")
            return vk, vkr
        ratio, angle = found.number("voltage_ratio", 1.0), found.number("angle_deg")
        if row.text("tap_side") == "lv":
            coil.lv_kv *= ratio
            coil.shift_deg -= angle
        else:
            coil.hv_kv *= ratio
            coil.shift_deg += angle
        return found.number("vk_percent", vk), found.number("vkr_percent", vkr)


def _loading(row: Row) -> float:
    return row.number("max_loading_percent", 100.0) / 100


def _magnetising(i0_percent: float, own_mva: float, pfe_kw: float) -> complex:
    """Return the magnetising admittance in MVA at rated voltage."""
    loss = pfe_kw / 1000
    return complex(loss, -math.sqrt(max((i0_percent / 100 * own_mva) ** 2 - loss**2, 0.0)))


def _tap(row: Row, coil: _Coil, which: str, side: str, at_star: bool = False) -> None:
    """Move a coil's voltage and angle to its tap position; ``side`` is where the tap changer sits."""
    if not side or row.flag("tap_dependency_table", False) or not row.has(f"tap{which}_pos"):
        return
    steps = row.number(f"tap{which}_pos") - row.number(f"tap{which}_neutral", math.nan)
    if math.isnan(steps):
        return
    percent, degree = row.number(f"tap{which}_step_percent"), row.number(f"tap{which}_step_degree")
    if at_star:  # a turn taken off at the star point counts the other way round
        step = percent * cmath.exp(1j * math.radians(degree))
        step = 100 * step / (100 + step * steps)
        percent, degree = abs(step), math.degrees(cmath.phase(step)) - 180
    changer = row.text(f"tap{which}_changer_type")
    if f"tap{which}_changer_type" not in row.cells:  # before version 3
        changer = "Ideal" if row.flag(f"tap{which}_phase_shifter", False) else "Ratio"
    direction = 1.0 if side == "hv" else -1.0
    if changer == "Ideal":
        half = max(-1.0, min(1.0, steps * percent / 200))
        coil.shift_deg += direction * (steps * degree if degree else 2 * math.degrees(math.asin(half)))
    elif changer in {"Ratio", "Symmetrical"}:
        turned = 1 + steps * percent / 100 * cmath.exp(1j * math.radians(degree))
        coil.shift_deg += direction * math.degrees(math.atan(turned.imag / turned.real if turned.real else 0.0))
        if side == "hv":
            coil.hv_kv *= abs(turned)
        else:
            coil.lv_kv *= abs(turned)
