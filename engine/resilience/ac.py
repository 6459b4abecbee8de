"""A dispatch of stage II judged by AC power flow: voltages, losses and import of OpenDSS beside those of LinDistFlow.

Loads that are served, campuses and modules keep their power, as in the linear model. A link that is out stays in: the
dispatch has nothing through it, so what then flows there is losses and charging behind it.
"""

from dataclasses import dataclass, replace

import numpy as np

from engine.distribution.ac_limits import beyond
from engine.distribution.feeder import Feeder, Load
from engine.distribution.opendss import AcFlow, Dispatch, ac_flow
from engine.errors import QuestionError
from engine.network.model import Flags, Integers, Matrix, Vector
from engine.resilience.case import PlacementCase
from engine.resilience.flows import FlowModel

_UNIT_KW = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class AcCheck:
    """K voltages of the linear model in T steps, and what AC power flow says; nan where it did not converge."""

    nodes: tuple[tuple[str, str], ...]  # (K,), bus and phase (or pair)
    steps: Integers  # (T,), of the case
    converged: Flags  # (T,)
    voltage_pu: Matrix  # (K, T)
    linear_pu: Matrix  # (K, T)
    loss_mw: Vector  # (T,), of all links; the linear flow has none
    loss_mvar: Vector  # (T,)
    import_mw: Vector  # (T,), what the source gives
    linear_import_mw: Vector  # (T,)
    voltages_beyond: Integers  # (T,), voltages outside the feeder's limits in the AC solution, bus by bus and phase
    ratings_beyond: Integers  # (T,), links above their rating in it

    @property
    def lowest_pu(self) -> Vector:
        """Return (T,) the lowest voltage of the AC solution."""
        return np.asarray(self.voltage_pu.min(axis=0))

    @property
    def linear_lowest_pu(self) -> Vector:
        """Return (T,) the lowest voltage of the linear flow."""
        return np.asarray(self.linear_pu.min(axis=0))

    @property
    def lowest_bus(self) -> tuple[str, ...]:
        """Return (T,) the bus of the lowest AC voltage, "" where there is none."""
        return tuple(
            self.nodes[int(column.argmin())][0] if known else ""
            for column, known in zip(self.voltage_pu.T, self.converged.tolist(), strict=True)
        )

    @property
    def overstated_pu(self) -> Vector:
        """Return (T,) the most by which the linear flow puts a voltage above the AC solution."""
        return np.asarray((self.linear_pu - self.voltage_pu).max(axis=0))


def ac_check(  # noqa: PLR0913 (by name)
    case: PlacementCase,
    flows: FlowModel,
    *,
    served_mw: Matrix,
    given_mw: Matrix,
    given_mvar: Matrix,
    steps: Integers | None = None,
) -> AcCheck:
    """Return a dispatch judged in all steps of a case, or in some.

    ``served_mw`` (D, T) is what demands draw, less what is shed; ``given_mw`` and ``given_mvar`` (I, T) what modules
    give at the sites.

    Raises QuestionError for arrays of another shape or steps that the case does not have, NetworkDataError for a feeder
    that OpenDSS cannot be given, SolverError where it refuses the circuit.
    """
    which = np.arange(case.steps) if steps is None else np.asarray(steps, dtype=np.intp)
    shapes = (len(flows.demands), case.steps), (len(case.sites), case.steps), (len(case.sites), case.steps)
    for name, array, shape in zip(
        ("served_mw", "given_mw", "given_mvar"), (served_mw, given_mw, given_mvar), shapes, strict=True
    ):
        if array.shape != shape:
            raise QuestionError(f"{name} has the shape {array.shape}; this case needs {shape}")
    if len(which) and not 0 <= int(which.min()) <= int(which.max()) < case.steps:
        raise QuestionError(f"a step of {which.tolist()} is not one of the case's {case.steps}")
    served, given, reactive = (each[:, which] for each in (served_mw, given_mw, given_mvar))
    feeder, share = _with_powers(case, flows)
    shares = [share(step, *each) for step, *each in zip(which.tolist(), served.T, given.T, reactive.T, strict=True)]
    found = [ac_flow(feeder, Dispatch(load_share=each), constant_power=True) for each in shares]
    broken = [[int(out.sum()) for out in beyond(flow)] if flow.converged else [0, 0] for flow in found]
    loss = np.array([flow.total_loss_kva for flow in found], dtype=np.complex128) / 1000.0
    return AcCheck(
        nodes=flows.nodes,
        steps=which,
        converged=np.array([flow.converged for flow in found], dtype=np.bool_),
        voltage_pu=np.array([_at(flow, flows.nodes) for flow in found]).reshape(len(found), len(flows.nodes)).T,
        linear_pu=np.sqrt(np.maximum(flows.voltage.at(served, given, reactive), 0.0)),
        loss_mw=loss.real,
        loss_mvar=loss.imag,
        import_mw=np.array([flow.source_kva.real for flow in found]) / 1000.0,
        linear_import_mw=flows.supply.at(served, given, reactive)[0],
        voltages_beyond=np.array([each[0] for each in broken], dtype=np.intp),
        ratings_beyond=np.array([each[1] for each in broken], dtype=np.intp),
    )


@dataclass(frozen=True, slots=True)
class _Shares:
    """How much of each load of the feeder with powers is drawn in a step."""

    case: PlacementCase
    flows: FlowModel
    row: dict[str, int]  # of the feeder's own demands
    spread: tuple[int, ...]  # how many loads each campus and each site has, twice for sites

    def __call__(self, step: int, served: Vector, given: Vector, reactive: Vector) -> Vector:
        native = self.flows.native
        of_bus = served[:native] / self.flows.table_mw
        # A bus whose loads draw no active power is no demand; it stays as the day has it.
        day = float(self.case.load_share[step])
        own = [of_bus[self.row[load.bus]] if load.bus in self.row else day for load in self.case.feeder.loads]
        return np.concatenate([own, np.repeat(np.concatenate([served[native:], given, reactive]), self.spread)])


def _with_powers(case: PlacementCase, flows: FlowModel) -> tuple[Feeder, _Shares]:
    """Return the feeder with loads of 1 MW for campuses, and of -1 MW and -1 Mvar for sites, equal on their phases."""
    feeder = case.feeder
    phases = {bus.name: feeder.spread(bus.phases) for bus in feeder.buses}
    units = [
        *((each.bus, complex(1.0, each.kvar_per_kw)) for each in case.campuses),
        *((bus, complex(-1.0, 0.0)) for bus in case.sites),
        *((bus, complex(0.0, -1.0)) for bus in case.sites),
    ]
    added = [
        Load("", bus, phase, _UNIT_KW * power.real / len(phases[bus]), _UNIT_KW * power.imag / len(phases[bus]))
        for bus, power in units
        for phase in phases[bus]
    ]
    loads = tuple(replace(load, name=f"{at}") for at, load in enumerate([*feeder.loads, *added]))
    row = {bus: at for at, bus in enumerate(flows.demands[: flows.native])}
    spread = tuple(len(phases[bus]) for bus, _ in units)
    return replace(feeder, loads=loads), _Shares(case, flows, row, spread)


def _at(flow: AcFlow, nodes: tuple[tuple[str, str], ...]) -> Vector:
    row = {bus.name: at for at, bus in enumerate(flow.feeder.buses)}
    member = {name: at for at, name in enumerate(flow.feeder.frame)}
    size = flow.magnitude_pu
    return np.array([size[row[bus], member[label]] for bus, label in nodes])
