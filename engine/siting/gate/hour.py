"""One hour of the gate, exactly: rays first, then dispatches for many outages, then one program for each that is left.

1. Without any load: which outages keep their limits, and a ray for each that cannot.
2. The network as it is: the largest load of each bus, whose ray is carried to every outage.
3. For each bus and level, one dispatch that keeps the limits after as many outages as it can. On the way to it from
   the dispatch without a load lie dispatches of all loads between, so few levels need one of their own.
4. What is left: the largest load after that very outage, from one linear program each; its ray and its dispatch are
   tried on the other buses that are open there.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Flags, Integers, Vector
from engine.siting.gate.blocks import BlockProgram
from engine.siting.gate.bounds import Intervals
from engine.siting.gate.flows import Broken, Flows, FlowScreen
from engine.siting.gate.model import INTACT, GateHour
from engine.siting.gate.program import HAIR_MW, OVERLOAD, CaseAnswer, CaseProgram
from engine.siting.gate.rays import Ray, carry, most_again
from engine.siting.gate.units import kept_without_unit

Report = Callable[[float], None]  # share done; may raise CancelledError
Enough = Callable[[], bool]
_CAP = 1.02  # of the largest level: how far a load is looked at
_MANY = 8  # open cases above which a bus is decided by itself
_FEW = 12  # open cases below which a dispatch for many is not looked for
_PASSES, _BASE_PASSES = 2, 16  # dispatches at most for one bus and level, and without a load
_NEIGHBOURS, _NEIGHBOURS_POOR = 24, 10  # dispatches of buses alike that are tried, and how many may bring little
_SHARE = 0.8  # of what was open before: more than that left, and cases are taken apart by limits
_GAIN, _POOR = 12, 3  # cases that make a dispatch worth while, and how often it may not be
_LITTLE = 0.01  # of the cases, left open where bounds are enough
_ROUNDING_MW = 1e-7  # of the solver's bounds
_WORTH = 1.5  # of the cap: rays that bound a bus further out are not used for it


@dataclass(eq=False)
class HourSolver:
    """The state of one hour while it is solved."""

    hour: GateHour
    levels_mw: Vector  # (V,), rising
    rays: list[Ray] = field(default_factory=list)  # from other hours; those found here are added
    counts: Counter[str] = field(default_factory=Counter)
    wider: "HourSolver | None" = None  # learns every ray found here: of the same buses, cases and levels

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        model = self.hour.model
        self.cap_mw = _CAP * float(self.levels_mw.max())
        self.intervals = Intervals.unknown(len(model.candidates), len(model))
        self.screen = FlowScreen.of(model)
        self.blocks = BlockProgram(self.hour, self.screen)
        self.programs = CaseProgram(self.hour)
        self.all_cases = np.arange(len(model))
        self.all_buses = np.arange(len(model.candidates))
        self.base_fails = np.zeros(len(model), dtype=np.bool_)
        self.base_rays: dict[int, Ray] = {}  # of the cases that fail without any load
        self.found: dict[float, list[tuple[int, Vector]]] = {}  # dispatches for many outages, by load
        self._without: tuple[Vector, Broken] | None = None  # the first dispatch without a load, and what it breaks
        self._still_open = np.ones(len(self.all_buses), dtype=np.bool_)

    def solve(self, report: Report | None = None) -> Intervals:
        """Decide every level in every case."""
        tell = report or (lambda _: None)
        self.begin()
        self.balance()
        known, self.rays = self.rays, []
        for ray in known:
            self._cut_everywhere(ray)
        self.without_load()
        tell(0.05)
        count = len(self.all_buses)
        self.programs.go(INTACT)
        for bus in self.all_buses.tolist():
            self.as_it_is(bus)
            if bus % 50 == 0:
                tell(0.05 + 0.05 * bus / count)
        for bus in self.all_buses.tolist():
            self.many_outages(bus)
            if self._open(bus).sum() > _MANY:
                self.one_bus(bus)
            if bus % 5 == 0:
                tell(0.1 + 0.8 * bus / count)
        for case in self.all_cases.tolist():
            self.one_outage(case)
            if case % 50 == 0:
                tell(0.9 + 0.1 * case / len(self.all_cases))
        tell(1.0)
        return self.intervals

    def cut_as_it_is(self) -> Integers:
        """Cut what each bus can take at most as the network is; return the buses that may take some level there."""
        self.begin()
        self.balance()
        self.programs.go(INTACT)
        for bus in self.all_buses.tolist():
            self.as_it_is(bus)
        return np.flatnonzero(self.intervals.reach_most[:, INTACT] >= self.levels_mw[0] - HAIR_MW)

    def bound(self, buses: Integers, programs: int) -> None:
        """Decide what takes little: dispatches of some buses for many cases, and so many cases of each one by one.

        Nothing is decided where the network as it is cannot keep its limits even without a load.
        """
        self.begin()
        self.balance()
        self.programs.go(INTACT)
        if self.base_fails[INTACT] or self.programs.base().overload > OVERLOAD:
            return
        self.without_load()
        self.programs.go(INTACT)
        for bus in buses.tolist():
            self.as_it_is(bus)
        for bus in buses.tolist():
            if self.intervals.reach_most[bus, INTACT] >= self.levels_mw[0] - HAIR_MW:
                self.many_outages(bus)
                if self._open(bus).sum() > _LITTLE * len(self.all_cases):
                    self.one_bus(bus, programs)

    def balance(self) -> None:
        """Note what the units' limits alone allow in every case, and which cases fail by them without a load."""
        none, no = np.zeros(0, dtype=np.intp), np.zeros(0)
        for energy in (-1.0, 1.0):
            ray = Ray(none, no, energy)
            self.intervals.cut(self.hour, ray, self.all_buses, self.all_cases)
            floor = carry(self.hour, ray, self.all_cases).floor_mw
            for case in np.flatnonzero(floor > HAIR_MW).tolist():
                self.base_fails[case] = True
                self.base_rays[case] = ray

    def without_load(self) -> None:
        """Find the cases that keep their limits without any load, and a ray for each that does not."""
        wanted = ~self.base_fails
        left = self._cover(0, 0.0, wanted, every_bus=True)
        for case in np.flatnonzero(left).tolist():
            self.programs.go(case)
            found = self.programs.base()
            self.counts["base programs"] += 1
            if found.overload > OVERLOAD:
                self.base_fails[case] = True
                if found.ray is not None:
                    self.base_rays[case] = found.ray
                    self._cut(found.ray, self.all_buses, np.array([case]))
            else:
                self.intervals.sure_least[:, case] = 0.0
                self.intervals.sure_most[:, case] = np.maximum(self.intervals.sure_most[:, case], 0.0)

    def as_it_is(self, bus: int) -> None:
        """Find the largest load of a bus in the network as it is, and carry its ray to every case."""
        if not self._open(bus).any():
            return
        found = self.programs.most(bus, self.cap_mw)
        self.counts["intact programs"] += 1
        self._note(bus, INTACT, found)
        if found.ray is not None:
            self.rays.append(found.ray)
            self._cut_everywhere(found.ray)
            self._cut_again(found, bus, INTACT, self.all_cases)

    def many_outages(self, bus: int) -> None:
        """Look for dispatches of one bus that keep the limits after many outages, the largest level first."""
        aside = np.zeros(len(self.all_cases), dtype=np.bool_)  # left for programs of their own
        for level in self.levels_of(bus)[::-1].tolist():
            open_ = self.intervals.open(bus, level) & ~aside
            if open_.sum() <= _FEW or level > self.intervals.reach_most[bus, INTACT]:
                continue
            aside |= self._cover(bus, level, open_)

    def one_bus(self, bus: int, most: int | None = None, enough: Enough = lambda: False) -> None:
        """Decide what is left of one bus, by programs for one case after another, of ``most`` cases at most.

        It ends as soon as what is known is ``enough``.
        """
        cases = np.flatnonzero(self._open(bus))
        first = len(cases) if most is None else most
        while cases.size and first and not enough():
            first -= 1
            self.programs.go(int(cases[0]))
            self._decide(bus, int(cases[0]), np.flatnonzero(self._open_in(int(cases[0]))), cases)
            cases = cases[1:][self._open(bus)[cases[1:]]]

    def one_outage(self, case: int) -> None:
        """Decide what is left in one case, by programs for one bus after another."""
        buses = np.flatnonzero(self._open_in(case))
        if buses.size:
            self.programs.go(case)
        while buses.size:
            self._decide(int(buses[0]), case, buses, np.array([case]))
            buses = buses[1:][self._open_in(case)[buses[1:]]]

    def _decide(self, bus: int, case: int, buses: Integers, cases: Integers) -> None:
        """Decide every level of one bus in one case; what is found is tried on other buses and cases too."""
        while (place := self._highest(bus, case)) >= 0:
            level = float(self.levels_of(bus)[place])
            found = self.programs.at(bus, level)
            self.counts["outage programs"] += 1
            if found.overload > OVERLOAD:
                if found.ray is not None:
                    self._cut(found.ray, buses, np.array([case]))
                    self._cut(found.ray, np.array([bus]), cases)
                    self._cut_again(found, bus, case, cases)
                if self._highest(bus, case) == place:
                    self._edge(bus, case)
                    return
                continue
            self.intervals.serve(bus, np.array([case]), level)
            self._try_cases(bus, found, cases)
            self._try_dispatch(found, case, buses[buses != bus])

    def _edge(self, bus: int, case: int) -> None:
        """Decide a case whose levels lie at the edge: by the largest load, and the least where a load relieves."""
        found = self.programs.most(bus, self.cap_mw)
        self.counts["edge programs"] += 1
        self._note(bus, case, found)
        if self._open_at(bus, case):
            self._relief(bus, case)
        if self._open_at(bus, case) and found.overload <= OVERLOAD:
            # The bounds meet but for rounding: the program's own word stands.
            self.intervals.reach_most[bus, case] = found.load_mw

    def _relief(self, bus: int, case: int) -> None:
        """Find where the loads begin that a bus can take: some make possible what nothing could without them."""
        found = self.programs.least_load(bus, self.cap_mw)
        self.counts["relief programs"] += 1
        self.intervals.serve(bus, np.array([case]), found.load_mw)
        if found.ray is not None:
            self._cut(found.ray, np.array([bus]), np.array([case]))

    def _note(self, bus: int, case: int, found: CaseAnswer) -> None:
        at = np.array([case])
        if found.overload > OVERLOAD:
            self.intervals.reach_most[bus, case] = -np.inf
        else:
            self.intervals.serve(bus, at, found.load_mw)
        if found.ray is not None:
            self._cut(found.ray, np.array([bus]), at)

    def _try_cases(self, bus: int, found: CaseAnswer, cases: Integers) -> None:
        """Try a dispatch in other cases of the same bus."""
        hour, output, load_mw = self.hour, found.output_mw, found.load_mw
        cases = cases[self.intervals.open(bus, load_mw)[cases]]
        if not cases.size or (output < hour.least_mw - _ROUNDING_MW).any():
            return  # the last: where a unit is lost its bus may have produced less than it can with it
        row_mw, lost_mw = hour.rows_mw(output, bus, load_mw)
        branch = cases <= hour.model.branch_cases
        some = cases[branch]
        self._serve(bus, some[self.screen.kept_in(row_mw, lost_mw, some)], load_mw)
        units = cases[~branch] - 1 - hour.model.branch_cases
        if units.size:
            kept = kept_without_unit(self.screen, hour, output, row_mw, units)
            self._serve(bus, cases[~branch][kept], load_mw)

    def _try_dispatch(self, found: CaseAnswer, case: int, buses: Integers) -> None:
        """Try a dispatch on other buses of the same case: the same load there instead."""
        model, lost = self.hour.model, self.hour.model.lost_of(case)
        useful = buses[self.intervals.sure_most[buses, case] < found.load_mw]
        if not useful.size:
            return
        # First by the limits of the program alone, which most of them break.
        for rows in (self.programs.seeds[0], slice(None)):
            rows_at, row_mw = model.at_candidates[rows][:, useful], model.at_units[rows] @ found.output_mw
            row_mw += self.hour.fixed(case)[rows]
            if lost >= 0:
                moved = model.moved[rows, lost]
                row_mw += moved * (model.lost_at_units[lost] @ found.output_mw)
                rows_at = rows_at + moved[:, np.newaxis] * model.lost_at_candidates[lost, useful]
            useful = useful[self.screen.inside(row_mw[:, np.newaxis] - found.load_mw * rows_at, case, rows)]
            if not useful.size:
                return
        for bus in useful.tolist():
            self.intervals.serve(bus, np.array([case]), found.load_mw)

    def _cover(self, bus: int, load_mw: float, wanted: Flags, *, every_bus: bool = False) -> Flags:
        """Look for dispatches that keep the limits in the wanted cases (N,); return those for which none was found."""
        branches = 1 + self.hour.model.branch_cases
        left = wanted.copy() if every_bus else self._neighbours(bus, load_mw, wanted)
        if left[:branches].sum() <= _FEW and not left[branches:].any():
            return left
        now = left[:branches].copy()
        tried: list[int] = []  # limits whose cases no further dispatch helps
        taken: list[int] = []  # the limit whose cases are looked at
        poor = 0
        for _ in range(_BASE_PASSES if every_bus else _PASSES):
            self.counts["blocks"] += 1
            found = self.blocks.cover(bus, load_mw, now)
            if found is None:
                break
            output, kept, broken = found
            self._keep(bus, load_mw, output, broken)
            all_kept = self._with_units(output, bus, load_mw, kept, left)
            if every_bus:
                self.intervals.sure_least[:, all_kept] = 0.0
                self.intervals.sure_most[:, all_kept] = np.maximum(self.intervals.sure_most[:, all_kept], 0.0)
            else:
                self._serve(bus, np.flatnonzero(all_kept), load_mw)
            before, left = int(left[:branches].sum()), left & ~all_kept
            after = int(left[:branches].sum())
            if before - after < _GAIN:
                poor, tried = poor + 1, tried + taken
            if after <= _FEW or poor > _POOR:
                break
            if not taken and after < _SHARE * before:
                now = left[:branches].copy()
                continue
            # The cases that break one limit come alone: together with those of another they could not be kept.
            row, now = _of_one_limit(broken, left[:branches], tried)
            taken = [row]
            if now.sum() < _GAIN:
                break
        return left

    def _keep(self, bus: int, load_mw: float, output: Vector, broken: Broken) -> None:
        """Keep a dispatch for other buses; note the loads that are served on the way to it from that without a load."""
        self.found.setdefault(load_mw, []).append((bus, output))
        if load_mw <= 0.0 and self._without is None:
            self._without = (output, broken)
        if load_mw <= 0.0 or self._without is None:
            return
        none, none_broken = self._without
        ends = (
            Flows(*self.hour.rows_mw(none, bus, 0.0), none_broken),
            Flows(*self.hour.rows_mw(output, bus, load_mw), broken),
        )
        least, most = self.screen.span(*ends)
        cases = np.flatnonzero(least <= most)
        self.intervals.serve(bus, cases, least[cases] * load_mw)
        self.intervals.serve(bus, cases, most[cases] * load_mw)

    def _with_units(self, output: Vector, bus: int, load_mw: float, kept: Flags, left: Flags) -> Flags:
        """Return in which cases (N,) a dispatch is kept, from those of branches and what is left to look for."""
        branches = len(kept)
        found = np.concatenate([kept, np.zeros(len(left) - branches, dtype=np.bool_)])
        units = np.flatnonzero(left[branches:])
        if units.size and kept[INTACT]:
            row_mw = self.hour.rows_mw(output, bus, load_mw)[0]
            found[branches + units] = kept_without_unit(self.screen, self.hour, output, row_mw, units)
        return found

    def known_for(self, load_mw: float) -> list[tuple[int, Vector, float]]:
        """Return the dispatches that were found for a load, or that serve it too: bus, output (U,), load."""
        return [(bus, output, load_mw) for bus, output in self.found.get(load_mw, [])]

    def _neighbours(self, bus: int, load_mw: float, wanted: Flags) -> Flags:
        """Try the dispatches of the buses that move flows most alike; return the cases that they leave open."""
        left = wanted.copy()
        known = self.known_for(load_mw)
        if not known:
            return left
        model = self.hour.model
        others = np.array([other for other, _, _ in known])
        near, place = np.unique(others, return_inverse=True)
        apart = np.abs(model.at_candidates[:, near] - model.at_candidates[:, [bus]]).max(axis=0, initial=0.0)
        order = np.argsort(apart[place], kind="stable")[:_NEIGHBOURS].tolist()
        poor = 0
        for at in order:
            _, output, served_mw = known[at]
            self.counts["neighbours tried"] += 1
            kept, _ = self.screen.kept(self.hour, output, bus, served_mw)
            all_kept = self._with_units(output, bus, served_mw, kept, left)
            poor += int((all_kept & left).sum()) < _GAIN
            self._serve(bus, np.flatnonzero(all_kept), served_mw)
            left &= ~all_kept
            if left.sum() <= _FEW or poor >= _NEIGHBOURS_POOR:
                break
        return left

    def _serve(self, bus: int, cases: Integers, load_mw: float) -> None:
        self.intervals.serve(bus, cases, load_mw)

    def _cut(self, ray: Ray, buses: Integers, cases: Integers) -> None:
        self.intervals.cut(self.hour, ray, buses, cases)
        if self.wider is not None:
            self.wider.intervals.cut(self.wider.hour, ray, buses, cases)

    def _cut_again(self, found: CaseAnswer, bus: int, case: int, cases: Integers) -> None:
        """Use a ray, adapted to each, in the cases of its bus that are open."""
        levels = self.levels_of(bus)
        cases = cases[self.intervals.highest_open(bus, levels, cases) >= 0]
        if found.ray is None or not cases.size:
            return
        level = levels[self.intervals.highest_open(bus, levels, cases)]
        if case == INTACT:  # levels that the network as it is can serve it may serve in these too
            cases = cases[level > found.load_mw + HAIR_MW]
        most = most_again(self.hour, found.ray, case, found.output_mw, bus, cases)
        self.intervals.reach_most[bus, cases] = np.minimum(self.intervals.reach_most[bus, cases], most)

    def _cut_everywhere(self, ray: Ray) -> None:
        """Use a ray for every bus that it may decide, in every case that is open for some of them."""
        if self.wider is not None:
            self.wider._cut_everywhere(ray)
        known = carry(self.hour, ray, np.array([INTACT]))
        least, most = known.bounds(self.hour, self.all_buses)
        useful = (most[:, 0] < _WORTH * self.cap_mw) | (least[:, 0] > 0.0)
        buses = np.flatnonzero(useful)
        buses = buses[self._still_open[buses]] if buses.size else buses
        if buses.size:
            self.intervals.cut(self.hour, ray, buses, self.all_cases)
            lowest = float(self.levels_mw.min())
            done = self.intervals.failed(buses, lowest).all(axis=1)
            done &= self.intervals.failed(buses, float(self.levels_mw.max())).all(axis=1)
            self._still_open[buses[done]] = False

    def levels_of(self, bus: int) -> Vector:  # noqa: ARG002 (a solver may ask every bus for loads of its own)
        """Return the loads (V,) that are decided at a bus, rising, MW."""
        return self.levels_mw

    def _open(self, bus: int) -> Flags:
        """Return in which cases (N,) some level of a bus is not decided."""
        found: Flags = self.intervals.highest_open(bus, self.levels_of(bus)) >= 0
        return found

    def _highest(self, bus: int, case: int) -> int:
        """Return the place of the highest level that is not decided in a case, -1 for none."""
        return int(self.intervals.highest_open(bus, self.levels_of(bus), np.array([case]))[0])

    def _open_at(self, bus: int, case: int) -> bool:
        return self._highest(bus, case) >= 0

    def _open_in(self, case: int) -> Flags:
        """Return for which buses (C,) some level is not decided in a case."""
        known = self.intervals
        level = self.levels_mw[:, np.newaxis]
        failed = (level > known.reach_most[:, case] + HAIR_MW) | (level < known.reach_least[:, case] - HAIR_MW)
        passed = (level <= known.sure_most[:, case] + HAIR_MW) & (level >= known.sure_least[:, case] - HAIR_MW)
        found: Flags = np.any(~failed & ~passed, axis=0)
        return found

    def begin(self) -> None:
        """Refuse levels that are none."""
        if not len(self.levels_mw) or (self.levels_mw < 0.0).any() or not np.isfinite(self.levels_mw).all():
            raise QuestionError("levels must be finite and not negative, and there must be one")


def _of_one_limit(broken: Broken, left: Flags, tried: list[int]) -> tuple[int, Flags]:
    """Return the limit that most of the cases left (1 + J,) break, of those not tried, and these cases."""
    mine = left[broken.case] & ~np.isin(broken.row, tried)
    row = int(np.bincount(broken.row[mine], minlength=1).argmax())
    found = np.zeros(len(left), dtype=np.bool_)
    found[broken.case[mine & (broken.row == row)]] = True
    return row, found
