"""Ready-made auctions are sound, and a product set becomes lots without losing a MW."""

import pytest

from engine.auction.certificate import market_of
from engine.auction.configuration import check_configuration, configuration_from_json, configuration_to_json
from engine.auction.templates import (
    TEMPLATES,
    SaleChoices,
    classroom,
    from_product_set,
    seats_for,
    spectrum,
    total_units,
    units_of,
)
from engine.auction.values import check, from_json
from engine.capacity.products import Product, ProductSet, Witness
from engine.errors import QuestionError


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_template_is_a_sound_auction_with_readable_values(key: str) -> None:
    template = TEMPLATES[key]
    assert template.key == key
    assert [one for one in check_configuration(template.configuration) if one.severity == "error"] == []
    assert configuration_from_json(configuration_to_json(template.configuration)) == template.configuration
    assert len({seat.name for seat in template.seats}) == len(template.seats) >= 2
    for seat in template.seats:
        assert check(seat.valuation, template.configuration) == []
        assert 0 < seat.eligibility <= total_units(template.configuration)


def test_draws_come_from_the_seed() -> None:
    assert spectrum(5) == spectrum(5)
    assert spectrum(5).seats != spectrum(6).seats
    assert classroom(7, 9, 2) == classroom(7, 9, 2)
    assert classroom(7, 9, 2).seats != classroom(7, 9, 3).seats
    assert (len(classroom(7, 9, 2).seats), len(classroom(7, 9, 2).configuration.lots)) == (7, 9)


def test_a_large_class_has_lots_of_its_own_names() -> None:
    largest = classroom(60, 60)
    assert len({lot.id for lot in largest.configuration.lots}) == 60
    with pytest.raises(QuestionError, match="not 61 and 8"):
        classroom(61, 8)


def test_no_prices_clear_the_campus_template() -> None:
    """By hand: the edge operator pays up to 40 for either lot at West, both are worth 60 to the campus."""
    template = TEMPLATES["campus"]
    market = market_of(
        template.configuration, [from_json(seat.valuation, template.configuration) for seat in template.seats]
    )
    assert market.optimum is not None
    assert market.optimum.welfare == 60 + 25 + 45 + 24  # the campus both lots, then each rest to its highest value
    assert market.prices_exist is False


def _set(*products: Product) -> ProductSet:
    return ProductSet(
        products=products,
        lost_to_rounding_mw=0.0,
        rounded_away=(),
        question={},
        provenance={"network": "Test grid", "network_digest": "n" * 64},
        witness=Witness((), 0, True, None),
        notices=(),
    )


PRODUCTS = _set(
    Product("7-firm-1", "7", 10.0, 0.0, "firm"),
    Product("7-firm-2", "7", 10.0, 0.0, "firm"),
    Product("7-firm-3", "7", 4.0, 0.0, "firm"),
    Product("7-flex5-1", "7", 10.0, 0.05, "flexible"),
    Product("7-flex5-2", "7", 10.0, 0.05, "flexible"),
    Product("9-firm", "9", 6.4, 0.0, "firm"),
)


def test_each_product_is_a_lot_at_its_bus_and_risk() -> None:
    sale = from_product_set(PRODUCTS, names={"7": "Ada"})
    assert [(lot.id, lot.bus, lot.capacity_mw, lot.risk, lot.quantity) for lot in sale.lots] == [
        (product.id, product.bus, product.capacity_mw, product.risk, 1) for product in PRODUCTS.products
    ]
    assert sale.lots[1].name == "10 MW firm at Ada, block 2"
    assert sale.lots[5].name == "6.4 MW firm at bus 9"
    assert (sale.product_set_digest, sale.network_digest) == (PRODUCTS.digest(), "n" * 64)
    assert [one for one in check_configuration(sale) if one.severity == "error"] == []


def test_equal_blocks_become_one_class_where_asked() -> None:
    sale = from_product_set(PRODUCTS, choices=SaleChoices(merge_equal_blocks=True))
    assert [(lot.id, lot.capacity_mw, lot.quantity) for lot in sale.lots] == [
        ("7-firm-x10", 10.0, 2),
        ("7-firm-3", 4.0, 1),
        ("7-flex5-x10", 10.0, 2),
        ("9-firm", 6.4, 1),
    ]
    assert sum(lot.capacity_mw * lot.quantity for lot in sale.lots) == PRODUCTS.total_mw()


def test_bidding_units_are_mw_or_mw_weighted_by_risk_and_the_opening_bid_follows_them() -> None:
    plain = from_product_set(PRODUCTS, choices=SaleChoices(opening_rate=3.0))
    assert [lot.units for lot in plain.lots] == [10, 10, 4, 10, 10, 6]
    assert [lot.opening for lot in plain.lots] == [30, 30, 12, 30, 30, 18]
    weighted = from_product_set(
        PRODUCTS, choices=SaleChoices(units="MW weighted by risk", flexible_weight=0.5, opening_rate=3.0)
    )
    assert [lot.units for lot in weighted.lots] == [10, 10, 4, 5, 5, 6]
    assert "a flexible MW counts 0.5" in weighted.origin
    assert units_of(0.2, 0.05, "MW weighted by risk", 0.5) == 1


@pytest.mark.parametrize(
    ("products", "choices", "words"),
    [
        (_set(), SaleChoices(), "empty"),
        (PRODUCTS, SaleChoices(flexible_weight=0.0), "flexible MW"),
        (PRODUCTS, SaleChoices(opening_rate=-1.0), "opening rate"),
        (PRODUCTS, SaleChoices(opening_rate=float("nan")), "opening rate"),
    ],
)
def test_what_cannot_be_sold_is_refused(products: ProductSet, choices: SaleChoices, words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        from_product_set(products, choices=choices)


def test_seats_for_a_product_set_have_values_of_the_value_builder() -> None:
    sale = from_product_set(PRODUCTS)
    seats = seats_for(sale, 6, seed=4)
    assert seats == seats_for(sale, 6, seed=4)
    kinds = [seat.valuation["kind"] for seat in seats if seat.valuation]
    assert kinds == ["additive", "additive", "campus"] * 2
    for seat in seats:
        assert check(seat.valuation, sale) == []
        # A firm MW earns 100 to 250 thousand dollars a year for ten years at 8 %: 6.71 years' worth.
        assert 6.7 * 100 * 6.4 <= seat.valuation["values"]["9-firm"] <= 6.72 * 250 * 6.4
        assert seat.valuation["values"]["7-flex5-1"] <= seat.valuation["values"]["7-firm-1"]
