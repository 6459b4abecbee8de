"""The Convergence tab of the Hubs page: costs that rise less and less."""

import re
from dataclasses import replace

from components import (
    hubs_steps,
)
from tests.components.hubs_runs import AT, example, written


def test_a_ladder_tells_at_which_of_its_two_ends_it_ends() -> None:
    run = example()
    exact = run.of("exact", "linear")
    assert exact is not None
    worst = exact.worst_cost + exact.price_cost.total
    for reached, words in (
        (exact.objective + 1.0, "nearer to the first"),
        (worst - 1.0, "nearer to the second"),
        (exact.bound + 0.1, "to the first, and below it"),
    ):
        last = dict(run.facts["ladder"][-1]) | {"objective": reached}
        told = written(hubs_steps.content(replace(run, facts={**run.facts, "ladder": [last]}), AT))
        assert words in told
    bare = replace(run, outcomes=tuple(each for each in run.outcomes if each.prices != "exact"))
    assert "exact prices tell: they were not found here" in written(hubs_steps.content(bare, AT))


def test_a_ladder_that_was_not_asked_for_is_told_and_one_press_asks_for_it() -> None:
    run = example()
    bare = replace(run, question=replace(run.question, ladder=False), facts={**run.facts, "ladder": []})
    told = written(hubs_steps.content(bare, AT))
    assert "Costs that rise less were not tried" in told
    link = re.search(r"/hubs\?([^\"]*)tab=steps", told)
    assert link is not None
    assert link[1] == "&"  # what the page opens with
    many = replace(bare, case=replace(run.case, hubs=run.case.hubs * 21))
    assert "at most 60 hubs" in written(hubs_steps._rungs(many, AT))
