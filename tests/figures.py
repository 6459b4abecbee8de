"""Write the README's figures from the results of the benchmarks: ``python -m tests.figures``.

A test holds the two equal, so that a new run of a benchmark shows in the README or fails.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "benchmarks" / "results"
README = Path(__file__).resolve().parents[1] / "README.md"
START, END = "<!-- figures -->", "<!-- end of figures -->"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the README's table, and the row of a result that it is taken from."""

    words: str
    aim: str
    result: str  # name of the file
    row: tuple[str, ...]  # how the first cells of the row begin
    column: int
    form: str = "{}"


TEXAS, LARGE, SMALL = "texas-2016", "activsg10k", "ieee118"
FIGURES = (
    Figure("Texas, 50 sites, 2,000 scenarios: all margins", "5 s", "capacity", (TEXAS, "margins cold"), 2),
    Figure("after that, another risk level", "100 ms", "capacity", (TEXAS, "warm: new risk level"), 2),
    Figure("another demand", "100 ms", "capacity", (TEXAS, "warm: new demand"), 2),
    Figure("another objective", "100 ms", "capacity", (TEXAS, "warm: new objective"), 2),
    Figure("other sites", "100 ms", "capacity", (TEXAS, "warm: new candidates"), 2),
    Figure("memory", "2 GB", "capacity", (TEXAS, "peak memory"), 2),
    Figure("10,000 buses: all margins, nothing kept", "", "capacity", (LARGE, "margins cold"), 2),
    Figure("118 buses, against the full program in cvxpy", "1,000 times", "capacity", (SMALL, "margins and alloc"), 2),
    Figure("difference of the two optima", "1e-6", "capacity", (SMALL, "difference"), 2),
    Figure("DC-OPF of Texas, factors included", "", "dc_opf", ("Headroom, cold (factors",), 1),
    Figure("the same by pypower", "20 times", "dc_opf", ("pypower",), 2, "{} times as long"),
    Figure("by pandapower", "20 times", "dc_opf", ("pandapower",), 2, "{} times as long"),
    Figure("by PyPSA", "20 times", "dc_opf", ("PyPSA",), 2, "{} times as long"),
    Figure("Texas after each outage, one state: broken limits", "", "secure", ("texas (2016 case)", "screening"), 2),
    Figure("the same by lightsim2grid", "20 times", "secure", ("texas (2016 case)", "lightsim2grid, DC"), 2),
    Figure("by pandapower", "20 times", "secure", ("texas (2016 case)", "pandapower"), 2),
    Figure("Texas, 50 sites kept after every outage, 1,000 hours", "60 s", "secure", ("texas-2020", "N-1 secure"), 2),
    Figure("118 buses, against a loop over all outages", "", "secure", ("ieee118", "the same by limits"), 2),
    Figure("largest load with redispatch at each of 2,000 buses", "30 s", "redispatch", ("largest extra load",), 1),
    Figure("of its proofs, 1,000 checked in bus angles: mismatches", "0", "redispatch", ("dispatch, multipliers",), 1),
    Figure("memory of all that", "4 GB", "secure", ("texas", "peak memory"), 2),
    Figure("auction of FCC 97's size: 341 rounds by 70 bots on 1,614 lots", "30 s", "auction", ("341 rounds with",), 1),
    Figure("replay of its ledger", "10 s", "auction", ("replay of the ledger",), 1),
    Figure("200 browsers in a room: bid to receipt, p95", "150 ms", "auction_room", ("SQLite",), 3, "{} ms"),
    Figure("deadline to the result on each screen, p95", "1,500 ms", "auction_room", ("SQLite",), 7, "{} ms"),
    Figure("acknowledged bids lost in 100 kills of its server", "0", "auction_room", ("SQLite", "100"), 3),
    Figure("siting gate, an hour of Texas: 23.5 million verdicts", "900 s", "siting_gate", ("1 hour, 1,431",), 1),
    Figure("its verdicts decided again from nothing: mismatches", "0", "siting_gate", ("1 hour: 200 verdicts",), 1),
    Figure("unit commitment of a Texas day to 1e-4", "20 s", "siting_market", ("base day",), 1, "{} s"),
    Figure("its gap then", "1e-04", "siting_market", ("base day",), 3),
    Figure("24 hours of its prices", "0.3 s", "siting_market", ("dispatch of 24 hours",), 1, "{} s"),
    Figure("prices for three hubs, 24 h, by processor", "2 s", "hubs", ("quick prices, 24 h",), 1),
    Figure("exact ones, 8 h: gap and time", "1e-04", "hubs", ("exact prices, 8 h",), 1),
    Figure("exact ones, 24 h", "5e-02 in 600 s", "hubs", ("exact prices, 24 h",), 1),
    Figure("prices for 3,000 hubs, 24 h, bounds and proofs included", "300 s", "hubs", ("3,000",), 14, "{} s"),
    Figure("memory of it", "4 GB", "hubs", ("3,000",), 15, "{} GB"),
    Figure("modules against 200 shocks of 48 steps to 1e-3", "300 s", "resilience_speed", ("200", "two proc"), 7),
    Figure("against 1,000 shocks", "", "resilience_speed", ("1000", "two proc"), 7),
    Figure("10 shocks as one program, beside that", "5 times", "resilience_extensive", ("10",), 7, "{} times"),
    Figure("first paint of the Texas map, cold cache", "2 s", "browser", ("/capacity", "with WebGL"), 2, "{} s"),
    Figure("the same without WebGL", "2 s", "browser", ("/capacity", "without WebGL"), 2, "{} s"),
    Figure("switch of its layer", "0.3 s", "browser", ("/capacity", "with WebGL"), 3, "{} s"),
    Figure("compressed bytes before any chart", "1.5 MB", "browser", ("/capacity", "with WebGL"), 4, "{} MB"),
    Figure("acknowledged writes lost when all of it is killed", "0", "kills", ("SQLite", "everything"), 4),
)  # fmt: skip


def table() -> str:
    """Return the table. Raises LookupError naming a row that no result has."""
    lines = ["| what | measured | aim |", "|---|---|---|"]
    lines += [f"| {one.words} | {one.form.format(_cell(one))} | {one.aim} |" for one in FIGURES]
    return "\n".join(lines)


def filled(readme: str) -> str:
    """Return the README with the table between its two marks."""
    before, _, rest = readme.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{table()}\n\n{END}{after}"


def _cell(figure: Figure) -> str:
    path = RESULTS / f"{figure.result}.md"
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) > figure.column and all(map(str.startswith, cells, figure.row)):
            return cells[figure.column]
    raise LookupError(f"{path.name} has no row that begins with {' | '.join(figure.row)}")


def main() -> int:
    """Write the table into the README."""
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(table() + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
