"""The why-cards of the Hubs page: each number counted again from withdrawals and prices."""

import re
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from components import (
    hubs_cards,
    hubs_hubs,
    hubs_lines,
    hubs_parts,
    hubs_realtime,
)
from components.format import number, percent
from components.hubs_words import At, after_of, before_of, dollars, mwh, per_mwh
from engine.distribution.cases import furnished
from engine.distribution.feeder import Transformer
from engine.pricing.congestion import Overloads, PriceTerms
from tests.callbacks.screen import text
from tests.components.hubs_runs import AT, example, plain, spaced, written


@lru_cache(maxsize=1)
def numbers() -> dict[str, str]:
    """Return for each card a number that it must hold, counted from withdrawals and prices again, as it is written."""
    run, hour, place = example(), AT.hour, 1
    quick, none, exact = after_of(run, AT), before_of(run, AT), run.of("exact", "linear")
    assert exact is not None
    network, step = run.case.network, run.case.step_h
    row = network.lines.index("711-740")
    flow = network.background_mw - network.share @ quick.withdrawal_mw
    whole = network.substation_mw + quick.withdrawal_mw.sum(axis=0)
    over = np.maximum(np.abs(flow) - network.limit_mw[:, np.newaxis], 0.0)
    tight = network.lines.index("703-730")
    before = np.abs(network.background_mw[tight] - network.share[tight] @ none.withdrawal_mw)
    was = float(np.maximum(before - network.limit_mw[tight], 0.0).sum()) * step
    assert was > 0.0
    beyond = float(over.sum() + np.maximum(whole - network.import_mw, 0.0).sum()) * step
    price, own = quick.price[place], run.programs()[place]
    spent = float(own.cost @ quick.points[place])
    paid = float(price @ own.of(quick.points[place], "import")) * step
    weighed = PriceTerms.of(run.case).cost(quick.price).total
    return {
        "beyond": mwh(beyond),
        "was": mwh(Overloads.of(run.case, none.withdrawal_mw).mwh(run.case)),
        "price": per_mwh(float(quick.price.ravel()[np.abs(quick.price).argmax()])),
        "cost": dollars(float((quick.hub_cost - none.hub_cost).sum())),
        "paid": dollars(float(quick.paid.sum())),
        "objective": dollars(100.0 * beyond + weighed),
        "apart": dollars(100.0 * beyond - run.floor),
        "floor": dollars(run.floor),
        "outcome:exact-linear": dollars(exact.overload_cost + PriceTerms.of(run.case).cost(exact.price).total),
        "overload:quick-quadratic": mwh(beyond),
        "terms:quick-quadratic": dollars(weighed),
        "spent:exact-linear": dollars(float(exact.hub_cost.sum())),
        "passed:exact-linear": dollars(float(exact.paid.sum())),
        "substation": number(float(whole[hour]), 3),
        "line:substation": number(float(whole[hour]), 3),
        "line:711-740": number(float(flow[row, hour]), 3),
        "over:703-730": f"{was:.3f} MWh",
        "over:substation": f"{float(np.maximum(whole - network.import_mw, 0.0).sum()) * step:.3f} MWh",
        "load:711-740": percent(float(np.abs(flow[row, hour]) / network.limit_mw[row]), 1),
        "load:substation": percent(float(whole[hour]) / network.import_mw, 1),
        "charge:works 724": per_mwh(float(run.case.buy_per_mwh[hour] + price[hour])),
        "draw:quarter 732": number(float(quick.withdrawal_mw[2, hour]), 3),
        "owes:works 724": dollars(spent),
        "pays:works 724": dollars(paid),
        "mean:works 724": per_mwh(float(price.mean())),
        "peak:works 724": number(float(quick.withdrawal_mw[place].max()), 3),
        "realtime": dollars(np.ravel(run.real_time.overload_cost)[0] if run.real_time else np.nan),
        "rung:3": dollars(example().facts["ladder"][3]["objective"]),
    }


@pytest.mark.parametrize(
    "what",
    ["beyond", "was", "price", "cost", "paid", "objective", "apart", "floor", "outcome:exact-linear",
     "overload:quick-quadratic", "terms:quick-quadratic", "spent:exact-linear", "passed:exact-linear", "substation",
     "line:substation", "line:711-740", "over:703-730", "over:substation", "load:711-740", "load:substation",
     "charge:works 724", "draw:quarter 732", "owes:works 724", "pays:works 724", "mean:works 724", "peak:works 724",
     "realtime", "rung:3"],
)  # fmt: skip
def test_every_number_says_why_with_the_number_counted_again(what: str) -> None:
    told = plain(what)
    assert spaced(numbers()[what]) in told, told
    assert "Method:" in told
    assert example().provenance["case_digest"][:8] in told


def test_what_a_line_may_carry_is_counted_from_its_rating_and_what_the_substation_may_from_the_table() -> None:
    """The limit of the case stands on the card as the product of rating, voltage and power factor does."""
    run = example()
    feeder, network = furnished("ieee37"), run.case.network
    for name, limit in zip(network.lines, network.limit_mw.tolist(), strict=True):
        told = plain(f"limit:{name}")
        assert told.count(f"{limit:.3f} MW") == 2, told  # by the formula, and as the case has it
        link = next(each for each in feeder.links if each.name == name)
        own = f"{link.kva:,.0f} kVA".replace(",", " ") if isinstance(link, Transformer) else f"{link.rating_a:g} A"
        assert own in told
    told = plain("limit:substation")
    assert told.count(f"{network.import_mw:.3f} MW") == 3  # by the formula, for imports and for exports
    assert f"{sum(row.kw for row in feeder.loads) / 1e3:.3f} MW" in told


@pytest.mark.parametrize("show", ["quick-quadratic", "exact-linear"])
def test_what_a_hub_holds_is_told_by_what_moved_into_it_and_out_of_it(show: str) -> None:
    """The card counts from powers and what was held before; the schedule has what the program says is held."""
    run, counted = example(), 0
    for place, hub in enumerate(run.case.hubs):
        parts = hubs_parts.parts_of(run, after_of(run, At(outcome=show)), place)
        for kind in hubs_parts.HELD:
            if kind not in parts:
                with pytest.raises(ValueError, match=f"no {kind} at '{hub.name}'"):
                    hubs_cards.card(run, AT, f"{kind}:{hub.name}")
                continue
            for hour in (0, 1, 12, 23):
                told = plain(f"{kind}:{hub.name}", At(outcome=show, hour=hour))
                found = re.findall(r": (-?[\d.]+) MWh", told.split("What binds")[0])
                assert float(found[-1]) == pytest.approx(parts[kind][hour], abs=6e-4), told
                counted += 1
    assert counted == 16  # two batteries, one store of hydrogen, one queue of work, four hours each


def test_an_hour_in_real_time_is_told_with_the_numbers_of_its_row() -> None:
    run = example()
    _, rows = hubs_realtime.rows(run, AT)
    row = rows[AT.hour]
    assert row["marks"]
    assert f"{spaced(per_mwh(row['price']))}: the mean price" in plain("again-price")
    assert f"mean, all known {spaced(per_mwh(row['known']))}" in plain("again-price")
    assert f"hour by hour {number(row['over'], 3)} MW" in plain("again-over")
    assert f"all known {number(row['over_known'], 3)} MW" in plain("again-over")
    assert f"{row['took']:.1f} s for the prices of" in plain("again-took")


@pytest.mark.parametrize(
    "what",
    [
        "line:nowhere",
        "charge:nobody",
        "draw:",
        "owes:x",
        "pays:x",
        "mean:x",
        "peak:x",
        "over:x",
        "load:x",
        "outcome:none-none",
        "passed:none-none",
        "realtime",
        "again-price",
        "again-over",
        "again-took",
        "limit:x",
        "energy:x",
        "proof:x",
        "rung:9",
        "ended:9",
        "each:wind",
        "best",
    ],
)
def test_a_card_of_what_is_not_there_is_refused(what: str) -> None:
    with pytest.raises(ValueError, match="no "):
        hubs_cards.card(replace(example(), real_time=None), AT, what)


@pytest.mark.parametrize("selection", ["", "line:711-740", "hub:campus 740"])
def test_the_grids_tell_why_of_the_row_that_is_chosen_and_the_cards_hold_its_numbers(selection: str) -> None:
    """What a card counts from flows is what its row holds; what a hub pays and draws is in its own schedule."""
    run, at = example(), At(hour=21, selection=selection)
    _, lines = hubs_lines.rows(run, at)
    line = next((row for row in lines if f"line:{row['name']}" == selection), lines[0])
    over, load = (text(hubs_cards.card(run, at, f"{what}:{line['name']}")) for what in ("over", "load"))
    assert f"{number(line['was'], 3)} MWh" in over
    assert f"{number(line['now'], 3)} MWh in {line['hours']} hour" in over
    for name in ("most_was", "most"):
        assert f"at most {percent(line[name], 1)} at" in load
    told = written(hubs_lines.content(run, at))
    assert ("Why, for the substation" if line["name"] == "substation" else f"Why, for line {line['name']}") in told
    hub = next((row for row in hubs_hubs.rows(run, at)[1] if f"hub:{row['name']}" == selection), None)
    row = hub or hubs_hubs.rows(run, at)[1][0]
    for what, shown in (
        ("mean", f"{row['price']:.1f}"),
        ("peak", f"{row['peak']:.3f}"),
        ("pays", f"{row['paid']:.1f}"),
    ):
        assert shown in text(hubs_cards.card(run, at, f"{what}:{row['name']}"))
    assert f"Why, for {row['name']}" in written(hubs_hubs.content(run, at))
