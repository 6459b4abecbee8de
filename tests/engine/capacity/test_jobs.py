"""Jobs and products: from arguments to files to answers, and the witness of what is sold."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.capacity import jobs
from engine.capacity.allocation import allocate
from engine.capacity.alone import alone, risk_curve
from engine.capacity.defaults import paper_question, starting_question
from engine.capacity.margins import Prepared
from engine.capacity.products import ProductSet, product_set, round_down
from engine.capacity.question import UncertaintySpec
from engine.capacity.results import CapacityResult, Verdict
from engine.capacity.verify import verify
from engine.errors import CancelledError, InfeasibleError, UncertaintyDataError
from engine.network.library import load
from engine.network.model import Network
from engine.network.tables import NetworkTables
from tests.engine.capacity import small
from tests.engine.capacity.small import asked, prepared, random_network, random_sample, sample, still, triangle


class Context:
    """A job's context that keeps files in a folder."""

    def __init__(self, folder: Path, stop_at: int | None = None) -> None:
        self.folder, self.stop_at = folder, stop_at
        self.artifacts = self
        self.seen: list[tuple[int, int, str]] = []
        self.file = ("mine.csv", b"3,4\n15,20\n16,21\n")

    def replace(self, key: str, content: bytes) -> None:
        raise AssertionError(f"{key}: {len(content)} bytes")

    def save(self, key: str, content: bytes) -> None:
        (self.folder / key).write_bytes(content)

    def open(self, key: str) -> Path | None:
        path = self.folder / key
        return path if path.exists() else None

    def progress(self, done: int, total: int, message: str = "") -> None:
        self.seen.append((done, total, message))
        if self.stop_at is not None and done >= self.stop_at:
            raise CancelledError("stopped")

    def load_network(self, digest: str) -> NetworkTables:
        tables = load("fourbus")
        assert digest == tables.digest()
        return tables

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        assert digest == "abc"
        return self.file


@pytest.fixture(scope="module")
def network() -> Network:
    return Network.from_tables(load("fourbus"))


QUESTIONS = {
    "distribution": paper_question(),
    "hourly": replace(paper_question(), firm_set="sample", uncertainty=UncertaintySpec("hourly", {"hours": 20}, 1)),
    "file": replace(paper_question(), firm_set="sample", uncertainty=UncertaintySpec("file", {"digest": "abc"}, 0)),
    "box": replace(paper_question(), epsilons=(), uncertainty=UncertaintySpec("box", {"spread": 0.1}, 0)),
}


@pytest.mark.parametrize("kind", list(QUESTIONS))
def test_a_job_keeps_what_the_page_needs(network: Network, tmp_path: Path, kind: str) -> None:
    question, context = QUESTIONS[kind], Context(tmp_path)
    arguments = json.loads(json.dumps(jobs.prepare_arguments(network.digest, question)))
    assert jobs.open_prepared(context, arguments, network) is None
    result = jobs.prepare_job(arguments, context)
    assert result == json.loads(json.dumps(result))
    assert all((tmp_path / key).exists() for key in result["artifacts"])
    margins = jobs.open_prepared(context, arguments, network)
    assert margins is not None
    answer = allocate(margins, question)
    assert answer.status == "optimal"
    assert CapacityResult.from_json(json.loads(json.dumps(answer.to_json()))) == answer
    products = product_set(margins, question, answer)
    verdict = jobs.verify_job({**arguments, "question": question.to_json(), "products": products.to_json()}, context)
    assert Verdict.from_json(verdict).holds
    assert products.with_verdict(Verdict.from_json(verdict)).witness.verdict is not None
    shares = [done / total for done, total, _ in context.seen]
    assert max(shares) <= 1.0


def test_the_key_depends_on_what_the_margins_depend_on_and_nothing_else(network: Network) -> None:
    question = QUESTIONS["hourly"]
    key = jobs.prepared_key(jobs.prepare_arguments(network.digest, question))
    for same in (
        replace(question, epsilons=(0.1,)),
        replace(question, demand_mw=(1.0, 2.0)),
        replace(question, cutoff=0.1),
    ):
        assert jobs.prepared_key(jobs.prepare_arguments(network.digest, same)) == key
    for other in (replace(question, supply="capacity"), replace(question, firm_set="box"), QUESTIONS["file"]):
        assert jobs.prepared_key(jobs.prepare_arguments(network.digest, other)) != key
    assert jobs.prepared_key(jobs.prepare_arguments("another", question)) != key
    given = [replace(question, supply="given", supply_shares=(("1", part), ("2", 1.0))) for part in (1.0, 2.0)]
    assert len({jobs.prepared_key(jobs.prepare_arguments(network.digest, one)) for one in given}) == 2


def test_a_cancelled_job_leaves_nothing_half_made(network: Network, tmp_path: Path) -> None:
    arguments = jobs.prepare_arguments(network.digest, QUESTIONS["hourly"])
    with pytest.raises(CancelledError):
        jobs.prepare_job(arguments, Context(tmp_path, stop_at=100))
    assert list(tmp_path.iterdir()) == []


def test_states_survive_their_file(network: Network) -> None:
    states = jobs.make_states(QUESTIONS["distribution"].uncertainty, network)
    again = jobs.load_states(jobs.save_states(states))
    assert again.sample is not None
    assert states.sample is not None
    assert (again.sample.net_demand_mw == states.sample.net_demand_mw).all()
    assert again.sample.labels == states.sample.labels
    with pytest.raises(UncertaintyDataError, match="not a file"):
        jobs.load_states(b"nonsense")


def test_blocks_never_exceed_the_allocation_and_count_what_they_lose() -> None:
    generator = np.random.default_rng(3)
    for seed in range(10):
        grid = random_network(np.random.default_rng(seed), meshed=True)
        question = asked(grid, {"2": 40.0, "3": 30.0}, at_zero="hold", block_mw=3.0, round_mw=0.5, epsilons=(0.05, 0.2))
        margins = prepared(grid, question, random_sample(generator, len(grid.buses.ids), 50))
        answer = allocate(margins, question)
        products = product_set(margins, question, answer)
        granted = np.array(answer.levels[-1].capacity_mw)
        sold = products.sold_by_level(question.candidates, question.epsilons)[-1]
        assert (sold <= granted + 1e-9).all()
        assert products.lost_to_rounding_mw == pytest.approx((granted - sold).sum(), abs=1e-6)
        assert all(product.capacity_mw > 0 for product in products.products)
        assert all(product.capacity_mw <= 3.0 for product in products.products)
        assert len({product.id for product in products.products}) == len(products.products)
        assert all(row.slack_mw >= -1e-6 for row in products.witness.rows)
        touched = int((np.maximum(margins.factors_of(question), 0.0) != 0.0).any(axis=1).sum())
        assert products.witness.rows_checked == 3 * touched  # firm and two risk levels


@pytest.mark.parametrize(
    ("value", "step", "down"),
    [(10.0, 0.1, 10.0), (9.9999999999, 0.1, 10.0), (16.39, 0.1, 16.3), (0.04, 0.1, 0.0), (7.0, 2.5, 5.0)],
)
def test_sizes_are_rounded_down_to_the_printed_precision(value: float, step: float, down: float) -> None:
    assert round_down(value, step) == down


def test_the_question_that_texas_opens_with_is_answered_and_checked() -> None:
    """Fewer hours than it opens with, the same road: dispatch, margins, allocation, and the independent checker."""
    grid = Network.from_tables(load("texas-2020"))
    opening = starting_question(grid)
    question = replace(opening, uncertainty=UncertaintySpec("hourly", {"hours": 40}, 1))
    states = jobs.make_states(question.uncertainty, grid)
    margins = jobs.prepare(grid, question, states)
    answer = allocate(margins, question)
    assert answer.over_limit == ()
    firm, flexible = (np.array(level.capacity_mw) for level in answer.levels)
    assert 500.0 < firm.sum() <= flexible.sum() <= 50_000.0
    verdict = verify(grid, question, [firm, flexible], states, margins.factors)
    assert verdict.holds, verdict.words
    more = verify(grid, question, [firm + 0.1, flexible + 0.1], states, margins.factors)
    assert not more.holds  # no room was left unused


def test_a_rounded_set_that_exceeds_a_limit_is_not_offered() -> None:
    """Signed rows: (6, 18) keeps line 2-3 at 4 MW; down to steps of 9 MW it is (0, 18), and 6 MW flow there."""
    grid = triangle()
    question = asked(grid, {"2": 1000.0, "3": 100.0}, epsilons=(), downward_closed=False, round_mw=9.0)
    margins = prepared(grid, question, still(grid))
    answer = allocate(margins, question)
    assert answer.firm_mw == pytest.approx((6.0, 18.0))
    with pytest.raises(InfeasibleError, match=r"line 2-3, from bus 2 to bus 3 by 2\.0+ MW: sell all or nothing"):
        product_set(margins, question, answer)
    closed = replace(question, downward_closed=True)
    assert product_set(margins, closed, allocate(margins, closed)).total_mw() <= 18.0


def test_a_limit_that_stands_at_its_rating_within_the_tolerance_of_a_dispatch_stops_nothing_but_itself() -> None:
    grid = small.network([(1, 2), (1, 3)], [40.0, 30.0], buses=3)
    at_rating = sample(np.array([[0.0, 40.0005, 10.0]]))  # 0.5 kW over, as a dispatch leaves it
    question = asked(grid, {"2": 20.0, "3": 50.0}, epsilons=(), at_zero="stop")
    margins = prepared(grid, question, at_rating)
    answer = allocate(margins, question)
    assert answer.firm_mw == pytest.approx((0.0, 20.0))
    assert product_set(margins, question, answer).total_mw() == pytest.approx(20.0)


def test_a_published_set_says_where_it_is_from(network: Network) -> None:
    question = QUESTIONS["distribution"]
    states = jobs.make_states(question.uncertainty, network)
    from_states = jobs.prepare(network, question, states)
    products = product_set(from_states, question, allocate(from_states, question))
    assert ProductSet.from_json(json.loads(json.dumps(products.to_json()))) == products
    for record in products.rows(network):
        assert record["question"] == question.sentence()
        assert record["network_digest"] == network.digest
        assert record["use"].startswith("indicative only")
        assert "auction paper" in record["data"]
    collection = products.geojson(network)
    assert [feature["geometry"] for feature in collection["features"]] == [None] * 4
    broken = Verdict(False, 1.0, 1e-6, 1, (), 0.0, "", "line 1-2 is over")
    with pytest.raises(InfeasibleError, match="line 1-2 is over"):
        products.with_verdict(broken)


def test_every_bus_alone_is_the_least_room_over_factor() -> None:
    for seed in range(15):
        generator = np.random.default_rng(seed)
        grid = random_network(generator, meshed=True)
        cutoff = 0.2 if seed % 2 else 0.0
        question = asked(grid, {"2": 1.0}, epsilons=(0.1,), cutoff=cutoff)
        margins = prepared(grid, question, random_sample(generator, len(grid.buses.ids), 30))
        found = alone(margins, question)
        factors = margins.row_factors(np.arange(len(grid.buses.ids)), cutoff)
        for place, epsilon in enumerate((0.0, 0.1)):
            room = np.maximum(margins.margin_mw(epsilon), 0.0)
            for bus in range(len(grid.buses.ids)):
                touched = np.flatnonzero(factors[:, bus] > 0)
                expected = min((room[row] / factors[row, bus] for row in touched), default=np.inf)
                assert found.capacity_mw[place, bus] == pytest.approx(expected, abs=1e-9)
        curve = risk_curve(margins, question, "2")
        assert (np.diff(curve.capacity_mw) >= -1e-9).all()
        assert curve.capacity_mw[0] == pytest.approx(found.capacity_mw[0, 1])


def test_alone_is_what_the_allocation_gives_a_single_site() -> None:
    grid = triangle()
    question = asked(grid, {"3": 500.0}, epsilons=())
    margins: Prepared = prepared(grid, question, still(grid))
    assert allocate(margins, question).firm_mw[0] == pytest.approx(alone(margins, question).firm_mw[2])
