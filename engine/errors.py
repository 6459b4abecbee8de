"""Every error the engine raises on purpose.

A message names the element, the value and the limit, in the reader's units. Bad data is reported as a
list of :class:`Problem`, all at once, so that a person mends a table in one pass.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with, or worth knowing about, one cell or row of a network's tables.

    ``error`` stops every computation; ``warning`` changes what a result means; ``note`` is only said.
    """

    code: str  # stable and machine readable, such as "duplicate-bus"
    severity: Severity
    message: str  # names the element, the value and the limit
    table: str = ""  # "buses", "branches", "units", "interfaces", "contingencies", or "" for the network as a whole
    row: int | None = None  # position in that table, counted from 0
    column: str = ""
    element: str = ""  # the id of the bus, branch or unit


class EngineError(Exception):
    """The family of errors whose message may be shown to a user as it is."""


class NetworkDataError(EngineError):
    """A network's data cannot be computed with; ``problems`` holds every reason."""

    def __init__(self, problems: Iterable[Problem] | str) -> None:
        found = (Problem("data", "error", problems),) if isinstance(problems, str) else tuple(problems)
        self.problems: tuple[Problem, ...] = found
        super().__init__(summary(found))


class FileFormatError(NetworkDataError):
    """A file is not what its reader expects; ``problems`` says where and why."""


class UncertaintyDataError(EngineError):
    """A box, a sample or a time series cannot be used with this network."""


class QuestionError(EngineError):
    """A question asks for something outside its stated range; the message names the field and the limit."""


class InfeasibleError(EngineError):
    """No point keeps every limit; ``problems`` names each limit that is exceeded whatever is decided."""

    def __init__(self, message: str, problems: Iterable[Problem] = ()) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(message)


class SolverError(EngineError):
    """The solver stopped without an optimum for a reason other than infeasibility."""


class ClusterError(EngineError):
    """The computers that tasks were to be given to cannot be used; the message says which and why."""


class VerdictError(EngineError):
    """An independent check contradicts a verdict that was computed; the message names what was judged."""


class AuctionRuleError(EngineError):
    """An event breaks rules of the auction; ``problems`` names each rule, all at once, and nothing has changed."""

    def __init__(self, problems: Iterable[Problem] | str) -> None:
        found = (Problem("rule", "error", problems),) if isinstance(problems, str) else tuple(problems)
        self.problems: tuple[Problem, ...] = found
        super().__init__(summary(found))


class LedgerError(EngineError):
    """A ledger was changed, breaks the auction's rules, or is not signed by the key it should be.

    ``entry`` is the number of the entry at fault, counted from 1, or None where it is the file as a whole.
    """

    def __init__(self, message: str, entry: int | None = None) -> None:
        self.entry = entry
        super().__init__(message)


class CancelledError(EngineError):
    """A computation was asked to stop before its end."""


class NotFoundError(EngineError):
    """There is no such thing for this user: it does not exist, or it is somebody else's."""


class PermissionDeniedError(EngineError):
    """The user may look but not change; the message names what is needed."""


class ConflictError(EngineError):
    """Somebody, or another window, changed the same thing first; nothing was written."""


class LimitError(EngineError):
    """Something is larger, or there are more of them, than the stated limit allows."""


def summary(problems: tuple[Problem, ...], most: int = 5) -> str:
    """Return the messages of the first ``most`` problems, and how many more there are."""
    lines = [problem.message for problem in problems[:most]]
    if len(problems) > most:
        lines.append(f"and {len(problems) - most} more")
    return "; ".join(lines) if lines else "no reason given"
