"""Home: recent studies with what they answered, the pictures of grids, and whose they are."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import PAGES, create_app, open_services
from callbacks.capacity_desk import ANSWERED
from callbacks.home import MOST_RECENT, answered, cards, examples, totals
from callbacks.services import Services
from callbacks.settings import Settings
from components.home import DOORS
from engine.distribution import library as feeders
from engine.network import library
from engine.network.tables import NetworkTables
from engine.opf.jobs import KIND as OPF
from engine.resilience.question import IEEE33
from engine.store.answers import Answer

OPEN = {page.path: page.key for page in PAGES}


@pytest.fixture
def services(settings: Settings) -> Services:
    return open_services(settings)


def remember(services: Services, study: str, kind: str, key: str, **content: object) -> None:
    services.results.put("ann", study, Answer(kind, key, content, {}))


def told(services: Services, study: str) -> str:
    (summary,) = (one for one in services.studies.list("ann") if one.id == study)
    return answered(services, "ann", summary)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"firm_mw": 3973.2, "total_mw": 6840.0}, "firm 3\u2009973 MW, 6\u2009840 MW with flexible"),
        ({"firm_mw": 20.0, "total_mw": 20.01}, "firm 20.0 MW"),
        ({"firm_mw": 0.0, "total_mw": None}, "firm 0 MW"),
        ({"firm_mw": None, "total_mw": None}, "no capacity keeps every limit"),
    ],
)
def test_a_capacity_answer_is_told_by_its_totals(content: dict[str, float | None], words: str) -> None:
    assert totals(content, same_network=True) == words
    assert totals(content, same_network=False) == f"{words} (before the network changed)"


def test_a_study_tells_its_newest_answer_and_whether_its_network_changed_since(services: Services) -> None:
    study = services.open_example("ann", "ieee14")
    assert told(services, study) == ""
    digest = services.studies.network_status("ann", study).digest
    remember(services, study, ANSWERED, digest, firm_mw=180.0, total_mw=200.0)
    assert told(services, study) == "Firm 180 MW, 200 MW with flexible"
    remember(services, study, OPF, "a" * 64, cost_per_h=8081.5)
    assert told(services, study) == "Firm 180 MW, 200 MW with flexible, dispatch and prices"
    remember(services, study, ANSWERED, "b" * 64, firm_mw=90.0, total_mw=90.0)
    assert told(services, study).startswith("Firm 90.0 MW (before the network changed), ")


def test_only_ones_own_recent_studies_are_listed_newest_first(services: Services) -> None:
    for number in range(MOST_RECENT + 1):
        services.studies.create("ann", f"study {number}", library.load("fourbus"))
    services.studies.create("bob", "another reader's", library.load("fourbus"))
    names = [card.name for card in cards(services, "ann", 0.0, OPEN)]
    assert names == [f"study {number}" for number in range(MOST_RECENT, 0, -1)]


def test_a_study_without_a_bus_opens_where_it_is_drawn(services: Services) -> None:
    services.studies.create("ann", "empty", NetworkTables(name="empty"))
    (card,) = cards(services, "ann", 0.0, OPEN)
    assert card.href.startswith("/network?study=")


def test_doors_and_examples_name_grids_and_pages_that_exist() -> None:
    keys = {example.key for example in examples()}
    assert keys == {grid.key for grid in library.NAMED}
    for door in DOORS:
        assert door.example in keys | {f"feeder-{key}" for key in (IEEE33, *(named.key for named in feeders.NAMED))}
        assert door.page in OPEN.values()
        if door.address:  # leads to a page of its own, without a study
            assert door.address == f"/{door.page}"
            continue
        grid = library.load(door.example)
        assert door.size.replace("\u2009", "").startswith(f"{len(grid.buses)} buses")


@pytest.fixture
def server(settings: Settings) -> Flask:
    return create_app(settings).server


def visitor(server: Flask) -> tuple[FlaskClient, str]:
    client = server.test_client()
    client.get("/")
    with client.session_transaction() as session:
        return client, str(session["user"])


def test_a_thumbnail_has_a_dot_for_each_bus_of_a_small_grid_and_is_kept(server: Flask) -> None:
    client, _ = visitor(server)
    answer = client.get("/api/thumbnails/example/ieee14.svg")
    assert answer.mimetype == "image/svg+xml"
    assert answer.text.count("<circle ") == 14
    again = client.get("/api/thumbnails/example/ieee14.svg", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert client.get("/api/thumbnails/example/nowhere.svg").status_code == 404
    feeder = client.get("/api/thumbnails/example/feeder-ieee37.svg")
    assert (feeder.status_code, feeder.text.count("<circle")) == (200, len(feeders.load("ieee37").buses))
    balanced = client.get(f"/api/thumbnails/example/feeder-{IEEE33}.svg")
    assert (balanced.status_code, balanced.text.count("<circle")) == (200, 33)
    assert client.get("/api/thumbnails/example/feeder-nowhere.svg").status_code == 404


def test_a_thumbnail_of_a_study_is_for_its_readers_only(server: Flask, services: Services) -> None:
    client, user = visitor(server)
    study = services.open_example(user, "fourbus")
    digest = services.studies.network_status(user, study).digest
    path = f"/api/thumbnails/study/{study}/{digest}.svg"
    assert client.get(path).text.count("<circle ") == 4
    stranger, _ = visitor(server)
    assert stranger.get(path).status_code == 404


def test_a_study_that_holds_a_feeder_and_no_network_opens_on_it(services: Services) -> None:
    study = services.studies.create("ann", "Ours", NetworkTables(name="Ours"))
    assert cards(services, "ann", 0.0, OPEN)[0].href.startswith("/network?")
    services.studies.add_dataset("ann", study, "ours.json", "feeder", b"{}")
    (card,) = cards(services, "ann", 0.0, OPEN)
    assert (card.href, card.size) == (f"/feeder?study={study}", "feeder, 1 file")
    remember(services, study, "feeder.study", "k", feeder="Ours", hours=24)
    assert told(services, study) == "Prices of Ours over 24 hours"


def test_a_study_that_holds_a_case_of_hubs_and_no_network_opens_on_it(services: Services) -> None:
    study = services.studies.create("ann", "Ours", NetworkTables(name="Ours"))
    services.studies.add_dataset("ann", study, "ours.json", "hubs", b"{}")
    (card,) = cards(services, "ann", 0.0, OPEN)
    assert (card.href, card.size) == (f"/hubs?study={study}", "hubs, 1 file")
    remember(services, study, "hubs.study", "k", hubs=3, periods=24)
    assert told(services, study) == "Prices for 3 hubs over 24 hours"
