"""Questions about hubs: as JSON and back, their edits, and every refusal."""

import json
from dataclasses import replace

import pytest

from engine.errors import NotFoundError, QuestionError
from engine.pricing.cases import three_hubs
from engine.pricing.files import to_json
from engine.pricing.question import ASSETS, Edit, HubQuestion
from tests.engine.pricing.small import two_hubs


def _no_file(digest: str) -> tuple[str, bytes]:
    raise NotFoundError(digest)


def test_a_question_comes_back_and_its_digest_tells_questions_apart() -> None:
    question = HubQuestion(
        case="fleet", count=7, edits=(Edit("battery", 0.5), Edit("sun", 2.0, "quarter 3")), exact=True
    )
    again = HubQuestion.from_json(json.loads(json.dumps(question.to_json())))
    assert again == question
    assert again.digest == question.digest != HubQuestion().digest
    assert HubQuestion.from_json({"kappa": 1}) == HubQuestion()


def test_every_number_out_of_its_range_is_told_at_once() -> None:
    bad = HubQuestion(case="other", count=0, feeder="ieee9", hours=1, level=-1.0, least_per_mwh=5.0, kappa=0.0,  # type: ignore[arg-type]
                      exact_gap=2.0, window=99, edits=(Edit("wind", 1.0), Edit("sun", -1.0)))  # type: ignore[arg-type]  # fmt: skip
    with pytest.raises(QuestionError) as caught:
        bad.checked()
    for words in (
        "number of hubs is 0: 1 to", "number of hours is 1: 2 to 24", "weight of prices is -1",
        "$/MWh, is 5: -1000 to 0",
        "share of the curvature is 0", "gap of exact prices is 2", "window of prices in real time is 99",
        "case is one of three, fleet, not 'other'", "no feeder 'ieee9'", "not 'wind'", "factor of an edit is -1",
    ):  # fmt: skip
        assert words in str(caught.value), words


@pytest.mark.parametrize(
    "content",
    [{"unknown": 1}, {"hours": 2.5}, {"exact": "yes"}, {"edits": [{"asset": "sun"}]}, {"seed": True}, {"case": 3},
     {"level": "x"}, {"edits": 5}, {"count": float("inf")}],
)  # fmt: skip
def test_json_that_is_no_question_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(QuestionError):
        HubQuestion.from_json(content)


@pytest.mark.parametrize("asset", ASSETS)
def test_an_edit_makes_what_it_names_as_large_by_its_factor_and_nothing_else(asset: str) -> None:
    plain = HubQuestion(hours=12).made(_no_file)
    edited = HubQuestion(hours=12, edits=(Edit(asset, 0.5),)).made(_no_file)  # type: ignore[arg-type]
    changed = {
        (old.name, name)
        for old, new in zip(plain.hubs, edited.hubs, strict=True)
        for name in old.__dataclass_fields__
        if getattr(old, name) != getattr(new, name)
    }
    field = {"work limit": "work", "sun": "sun_mw", "demand": "demand_mw", "import limit": "import_mw",
             "export limit": "export_mw"}.get(asset, asset)  # fmt: skip
    assert changed
    assert {name for _, name in changed} == {field}
    campus, works, _ = edited.hubs
    if asset == "battery":
        assert campus.battery is not None
        assert (campus.battery.power_mw, campus.battery.energy_mwh, campus.battery.start_mwh) == (0.15, 0.6, 0.3)
        none = HubQuestion(hours=12, edits=(Edit("battery", 0.0, campus.name),)).made(_no_file)
        assert none.hubs[0].battery is None
        assert none.hubs[2].battery == plain.hubs[2].battery
    if asset == "hydrogen":
        assert works.hydrogen is not None
        assert works.hydrogen.store_mwh == pytest.approx(0.8)


def test_a_file_is_asked_about_with_the_questions_own_weights() -> None:
    question = HubQuestion(dataset="abc", level=0.5, most_per_mwh=20.0, kappa=0.1)
    case = question.made(lambda digest: (digest, to_json(two_hubs())))
    assert case.hubs == two_hubs().hubs
    assert (case.terms.level, case.prices.most, case.curvature.share) == (0.5, 20.0, 0.1)
    assert case.curvature == replace(three_hubs().curvature, share=0.1)


def test_an_edit_of_a_hub_that_is_not_there_is_refused() -> None:
    with pytest.raises(QuestionError, match="no hub 'nobody'"):
        HubQuestion(edits=(Edit("sun", 1.0, "nobody"),)).made(_no_file)


@pytest.mark.parametrize(
    ("edit", "changed"),
    [
        (Edit("line limit", 1.5, line="711-740"), {"711-740": 1.5}),
        (Edit("line limit", 0.5), None),
        (Edit("substation import", 0.8), {"import_mw": 0.8}),
        (Edit("substation export", 1.25), {"export_mw": 1.25}),
    ],
)
def test_an_edit_of_a_limit_changes_that_limit_by_its_factor_and_nothing_else(
    edit: Edit, changed: dict[str, float] | None
) -> None:
    question = HubQuestion(hours=3, edits=(edit,))
    plain, edited = (HubQuestion(hours=3).made(_no_file), question.made(_no_file))
    before, after = plain.network, edited.network
    found = {
        name: new / old
        for name, old, new in zip(before.lines, before.limit_mw, after.limit_mw, strict=True)
        if new != old
    }
    found |= {
        name: getattr(after, name) / getattr(before, name)
        for name in ("import_mw", "export_mw")
        if getattr(after, name) != getattr(before, name)
    }
    assert found == pytest.approx(dict.fromkeys(before.lines, 0.5) if changed is None else changed)
    assert replace(edited, network=before).digest == plain.digest != edited.digest
    assert question.digest != HubQuestion(hours=3).digest
    assert HubQuestion.from_json(json.loads(json.dumps(question.to_json()))) == question


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Edit("line limit", 0.0), "factor of a line limit is 0: a limit stays above 0"),
        (Edit("line limit", 2.0, hub="works 724"), "a line limit is of no hub, and the edit names 'works 724'"),
        (Edit("battery", 2.0, line="711-740"), "a line has a line limit, no 'battery'"),
        (Edit("substation import", 101.0), "factor of an edit is 101: 0 to 100"),
        (Edit("line limit", 2.0, line="nowhere"), "there is no line 'nowhere'"),
    ],
)
def test_an_edit_of_a_limit_that_cannot_be_made_is_refused(edit: Edit, words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        HubQuestion(hours=3, edits=(edit,)).made(_no_file)


def test_a_limit_that_is_not_there_is_not_made_larger() -> None:
    """The substation of two hubs done by hand has no limits."""
    question = HubQuestion(dataset="hand", edits=(Edit("substation export", 2.0),))
    with pytest.raises(QuestionError, match="the substation has no limit of exports"):
        question.made(lambda digest: (digest, to_json(two_hubs())))


def test_so_many_prices_are_not_compared_each_with_each() -> None:
    """The limit is named, and what has none."""
    question = HubQuestion(case="fleet", count=80, feeder="ieee123", hours=2)
    with pytest.raises(QuestionError, match=r"prices an hour are compared each with each: at most 40; .* the mean"):
        question.made(_no_file)
    assert replace(question, fairness="mean").made(_no_file).terms.fairness == "mean"
