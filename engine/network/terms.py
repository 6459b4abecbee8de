"""The two cells that list branches: the terms of an interface and the branches of a contingency.

Branches are parted by blanks; one whose identifier holds a blank or a double quote stands in double quotes, a
double quote inside it doubled. A term is ``branch:weight``; a weight that is left out is 1.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping

# A branch in quotes or a run without blanks and quotes, then what follows it up to the next blank.
_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^\s"]+))(\S*)')


def read_terms(text: str) -> tuple[tuple[str, float], ...]:
    """Return the (branch, weight) pairs of a ``terms`` cell such as ``"1-2:1 3-4:-0.5"``.

    Raises ValueError when there are none, a branch is there twice, or a weight is not a finite number other
    than 0.
    """
    terms = []
    for item, rest, quoted in _items(text):
        branch, colon, weight = (item, *rest.partition(":")[1:]) if quoted else _parted(item)
        if quoted and rest and not rest.startswith(":"):
            raise ValueError(f"a colon and a weight must follow {branch!r:.60}, found {rest[:20]!r}")
        terms.append((branch, _weight(branch, weight) if colon else 1.0))
    _refuse([name for name, _ in terms])
    return tuple(terms)


def read_branches(text: str) -> tuple[str, ...]:
    """Return the branches of a ``branches`` cell. Raises ValueError when there are none, or one is there twice."""
    branches = []
    for branch, rest, quoted in _items(text):
        if quoted and rest:
            raise ValueError(f"a blank must follow {branch!r:.60}, found {rest[:20]!r}")
        branches.append(branch)
    _refuse(branches)
    return tuple(branches)


def write_terms(terms: Iterable[tuple[str, float]]) -> str:
    """Return the cell that :func:`read_terms` reads back to the same pairs."""
    return " ".join(f"{_quoted(branch)}:{repr(float(weight)).removesuffix('.0')}" for branch, weight in terms)


def write_branches(branches: Iterable[str]) -> str:
    """Return the cell that :func:`read_branches` reads back to the same branches."""
    return " ".join(map(_quoted, branches))


def terms_renamed(text: str, renamed: Mapping[str, str | None]) -> str:
    """Return a ``terms`` cell with branches under their new names, without those renamed to None.

    A cell that cannot be read stays as it is: the checks name it.
    """
    try:
        terms = read_terms(text)
    except ValueError:
        return text
    if not any(branch in renamed for branch, _ in terms):
        return text
    kept = ((renamed.get(branch, branch), weight) for branch, weight in terms)
    return write_terms((branch, weight) for branch, weight in kept if branch is not None)


def branches_renamed(text: str, renamed: Mapping[str, str | None]) -> str:
    """Return a ``branches`` cell with branches under their new names, as :func:`terms_renamed` does."""
    try:
        branches = read_branches(text)
    except ValueError:
        return text
    if not any(branch in renamed for branch in branches):
        return text
    kept = (renamed.get(branch, branch) for branch in branches)
    return write_branches(branch for branch in kept if branch is not None)


def _items(text: str) -> Iterable[tuple[str, str, bool]]:
    """Yield each item's branch, what is glued to it, and whether it stood in quotes."""
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _ITEM.match(text, at, end)
        if found is None:
            raise ValueError(f"a double quote is not closed, found {text[at : at + 40]!r}")
        quoted = found[1] is not None
        if not quoted and found[3]:
            raise ValueError(f"a double quote inside {found[0].strip()!r:.60}: put the whole branch in quotes")
        yield (found[1].replace('""', '"') if quoted else found[2]), found[3], quoted
        at = found.end()


def _parted(item: str) -> tuple[str, str, str]:
    branch, colon, weight = item.rpartition(":")
    return (branch, colon, weight) if colon else (item, "", "")


def _weight(branch: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        raise ValueError(f"the weight of {branch!r:.60} must be a number, found {text[:20]!r}") from None
    if not math.isfinite(weight) or weight == 0:
        raise ValueError(f"the weight of {branch!r:.60} must be a number other than 0, found {text[:20]!r}")
    return weight


def _refuse(branches: list[str]) -> None:
    if not branches:
        raise ValueError("at least one branch is needed")
    if "" in branches:
        raise ValueError("a term names no branch")
    twice = [branch for branch, count in Counter(branches).items() if count > 1]
    if twice:
        raise ValueError(f"branch {twice[0]!r:.60} is there twice")


def _quoted(branch: str) -> str:
    # A colon too, so that a branch called "a:1" is not read as "a" with a weight of 1 where weights are left out.
    plain = branch and not any(sign.isspace() or sign in '":' for sign in branch)
    return branch if plain else '"' + branch.replace('"', '""') + '"'
