"""What `summary.json` says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from evalkit import runs
from evalkit.measures import evaluate
from evalkit.records import Judged
from evalkit.report.costs import cost_row
from evalkit.report.summary import Extras, summarise
from evalkit.report.verdict import categories_alike
from tests.judgments import judged

MEASURES = ["nDCG@10", "P@2", "Judged@10"]
CATEGORIES = ["a", "b"] * 20


def stage(model: str, units: float, failures: int = 0) -> dict[str, Any]:
    """Return what run.json has of a rerank stage."""
    seconds = {"p50": 0.2, "p95": 0.9}
    return {
        "stage": "rerank",
        "model": model,
        "units": units,
        "failures": [{}] * failures,
        "seconds": seconds,
    }


@pytest.fixture
def pipelines() -> dict[str, Judged]:
    """A baseline, a reranker that is better on most queries, and a dearer one that is as good."""
    rng = np.random.default_rng(4)
    lists = [rng.permutation([3, 0, 0, 1, 0]).tolist() for _ in CATEGORIES]
    better = [sorted(one, reverse=True) if index % 5 else one for index, one in enumerate(lists)]
    dearer = [one if index != 1 else one[::-1] for index, one in enumerate(better)]
    ways = {"embed": lists, "fast": better, "pro": dearer}
    return {name: judged(way, categories=CATEGORIES) for name, way in ways.items()}


def summary(pipelines: dict[str, Judged], **extras: Any) -> dict[str, Any]:
    """Return the summary of pipelines with their measures."""
    values = {name: evaluate(one, MEASURES) for name, one in pipelines.items()}
    return summarise(pipelines, values, "embed", 5, 7, Extras(**extras))


def test_every_measure_has_its_interval_per_category(pipelines: dict[str, Judged]) -> None:
    """Means come for all queries and each category, with interval and n."""
    rows = summary(pipelines)["measures"]

    assert len(rows) == 3 * 3 * 3
    assert {row["n"] for row in rows if row["category"] is None} == {40}
    assert all(row["low"] <= row["point"] <= row["high"] for row in rows)


def test_judged_is_told_but_not_compared(pipelines: dict[str, Judged]) -> None:
    """A measure that is neither good nor bad has a mean and takes no part in the family."""
    told = summary(pipelines)

    assert "Judged@10" in {row["measure"] for row in told["measures"]}
    assert {row["measure"] for row in told["differences"]} == {"nDCG@10", "P@2"}
    assert told["family"]["comparisons"] == 2 * 2 * 3


def test_the_verdict_names_winner_and_what_the_dearer_adds(pipelines: dict[str, Judged]) -> None:
    """First who beats the baseline, then that the dearer pipeline adds nothing, and its price."""
    stages = {"embed": [], "fast": [stage("m-fast", 40)], "pro": [stage("m-pro", 40)]}
    prices = {"m-fast": 0.002, "m-pro": 0.0025}
    told = summary(pipelines, stages=stages, asked=40, prices=prices)["verdict"]

    assert told[0].startswith("fast beats embed: +0.")
    assert "pro adds nothing to fast that 40 queries can show; it costs 1.25 times as much." in told


def test_without_a_difference_the_verdict_says_what_could_have_been_shown(
    pipelines: dict[str, Judged],
) -> None:
    """No difference is told with the size that these queries could have shown."""
    pair = {"embed": pipelines["fast"], "pro": pipelines["pro"]}
    sentence = summary(pair)["verdict"][0]

    assert sentence.startswith("pro shows no difference from embed in 40 queries")
    assert "they could have shown 0." in sentence


def test_a_declared_margin_turns_no_difference_into_equivalence(pipelines: dict[str, Judged]) -> None:
    """Within the declared margin the verdict says equivalent, and names the margin."""
    pair = {"embed": pipelines["fast"], "pro": pipelines["pro"]}
    sentence = summary(pair, margins={"nDCG@10": 0.1})["verdict"][0]

    assert sentence.startswith("pro is equivalent to embed by a margin of 0.1")
    assert sentence.endswith("over 40 queries, though only 1 of them differs.")


def test_a_verdict_on_few_queries_that_differ_says_so() -> None:
    """With fewer than ten that differ no interval can be relied on: whatever the verdict, it says so."""
    first, last = judged([[1, 0]] * 4), judged([[0, 1]] * 4)
    margin = {"nDCG@10": 0.01}

    assert (
        "over 4 queries, none differing."
        in summary({"embed": first, "pro": first}, margins=margin)["verdict"][0]
    )
    assert "in 4 queries, none differing: " in summary({"embed": first, "pro": first})["verdict"][0]
    assert "though only 4 of them differ; among" in summary({"embed": first, "pro": last})["verdict"][0]


def test_few_groups_that_differ_are_told_as_groups() -> None:
    """Twenty queries that differ are four groups of near-duplicates: the verdict counts the groups."""
    pair = {"embed": judged([[1, 0]] * 24), "pro": judged([[0, 1]] * 20 + [[1, 0]] * 4)}
    told = summary(pair, clusters=np.arange(24) // 5)["verdict"][0]

    assert "24 queries, though only 4 of their 5 groups differ" in told


def test_a_set_has_no_order_to_lose_by() -> None:
    """Measures behind a threshold have no part in attribution and depths: the perfect order has no scores."""
    run = judged([[1, 0, None]] * 12)
    measures = ["nDCG@10", "SetR(min_score=-1)", "FalseAnswer(min_score=-1)", "SetP"]
    ranks = {"pro": np.tile([1, 2, 3], 12)}
    told = summarise(
        {"embed": run, "pro": run},
        {name: evaluate(run, measures) for name in ("embed", "pro")},
        "embed",
        2,
        7,
        Extras(found_rank=ranks),
    )

    assert {row["measure"] for row in told["differences"]} == set(measures)
    assert {row["measure"] for row in told["attribution"]} == {"nDCG@10"}
    assert {row["measure"] for row in told["depths"]} == {"nDCG@10"}


def test_a_winner_that_the_unjudged_could_overturn_is_marked() -> None:
    """With unjudged documents ahead of the loser's, bounds overlap; with all judged they do not."""
    labels = [""] * 30
    sure = {"embed": judged([[0, 0, 1]] * 30, None, labels), "late": judged([[1, 0, 0]] * 30, None, labels)}
    open_ended = {**sure, "embed": judged([[None, None, 1]] * 30, None, labels)}

    assert not summary(sure)["differences"][0]["unjudged_could_turn_it"]
    row = summary(open_ended)["differences"][0]
    assert row["shown"]
    assert row["unjudged_could_turn_it"]
    assert "label them first" in summary(open_ended)["verdict"][-1]


def test_categories_that_gain_differently_are_told() -> None:
    """A gain in one category and none in the other is a tested statement."""
    rng = np.random.default_rng(5)
    base = [rng.permutation([1, 0, 0, 0, 0]).tolist() for _ in CATEGORIES]
    late = [
        sorted(one, reverse=True) if label == "a" else rng.permutation(one).tolist()
        for one, label in zip(base, CATEGORIES, strict=True)
    ]
    pipelines = {"embed": judged(base, categories=CATEGORIES), "late": judged(late, categories=CATEGORIES)}
    told = summary(pipelines)

    assert told["heterogeneity"][0]["p_holm"] < 0.05
    assert any("not the same in all categories" in sentence for sentence in told["verdict"])


def test_money_is_per_thousand_answered_queries() -> None:
    """Units are scaled to 1,000 answers; a model without a price has units and no money."""
    known = cost_row([stage("m", 90, failures=10)], 100, {"m": 0.002})

    assert known == {"units_per_1000": 1000, "usd_per_1000": 2.0}
    assert cost_row([stage("m", 90, failures=10)], 100, {})["usd_per_1000"] is None
    assert cost_row([], 100, {}) == {"units_per_1000": 0, "usd_per_1000": 0}


def test_a_better_and_dearer_pipeline_does_not_dominate(pipelines: dict[str, Judged]) -> None:
    """Where the better pipeline costs more, the pair is marked; where it is cheaper, it dominates."""
    stages = {"embed": [], "fast": [stage("m-fast", 40)], "pro": [stage("m-pro", 40)]}
    prices = {"m-fast": 0.002, "m-pro": 0.0025}
    pairs = summary(pipelines, stages=stages, asked=40, prices=prices)["trade_offs"]
    dominates = {(pair["better"], pair["other"]): pair["dominates"] for pair in pairs}

    assert dominates["fast", "embed"] is False
    assert dominates["fast", "pro"] is True


def test_of_two_that_are_equally_good_the_cheaper_dominates(pipelines: dict[str, Judged]) -> None:
    """Equal quality for less money is no trade-off, whichever is named first."""
    same = {"embed": pipelines["embed"], "pro": pipelines["fast"], "fast": pipelines["fast"]}
    stages = {"embed": [], "fast": [stage("m-fast", 40)], "pro": [stage("m-pro", 40)]}
    told = summary(same, stages=stages, asked=40, prices={"m-fast": 0.002, "m-pro": 0.0025})
    pair = next(pair for pair in told["trade_offs"] if {pair["better"], pair["other"]} == {"fast", "pro"})

    assert (pair["better"], pair["dominates"]) == ("fast", True)
    assert (
        "pro adds nothing to fast that 40 queries can show; it costs 1.25 times as much." in told["verdict"]
    )


def test_one_pipeline_alone_is_summed_up_without_comparison(pipelines: dict[str, Judged]) -> None:
    """Without anything to compare there are means and no verdict on a difference."""
    told = summary({"embed": pipelines["embed"]})

    assert told["differences"] == told["verdict"] == []
    assert told["measures"]


def test_the_summary_is_json_and_the_same_each_time(pipelines: dict[str, Judged]) -> None:
    """Two summaries of one run are equal to the byte, without NaN."""
    first, second = (runs.to_json(summary(pipelines)) for _ in range(2))

    assert first == second
    assert json.loads(first)["schema"] == "evalkit.summary/1"


def test_the_verdict_has_the_best_news_first() -> None:
    """What is no worse comes before what is worse; before, a weak pipeline took the headline."""
    good = [[3, 0, 0, 1, 0] for _ in CATEGORIES]
    bad = [[0, 0, 0, 1, 3] for _ in CATEGORIES]
    swapped = {0: [3, 0, 1, 0, 0], 2: [3, 0, 0, 0, 1]}  # as often better as worse
    close = [swapped.get(index % 4, one) for index, one in enumerate(good)]
    ways = {"embed": good, "bad": bad, "close": close}
    told = summary(
        {name: judged(way, categories=CATEGORIES) for name, way in ways.items()}, margins={"nDCG@10": 0.1}
    )

    assert [one.split()[:3] for one in told["verdict"][:2]] == [
        ["close", "is", "equivalent"],
        ["bad", "is", "worse"],
    ]


def test_a_trade_off_shows_nothing_that_the_verdict_does_not() -> None:
    """One pair alone passes; among all measures and categories it does not, and the report says one thing."""
    lists = [[0, 3, 0, 1, 0] for _ in CATEGORIES]
    better = [one if index > 5 else [3, 0, 0, 1, 0] for index, one in enumerate(lists)]
    ways = {"embed": lists, "fast": better}
    told = summary({name: judged(way, categories=CATEGORIES) for name, way in ways.items()})
    (pair,) = told["trade_offs"]
    row = next(row for row in told["differences"] if row["category"] is None)

    assert pair["p_holm"] < 0.05 < row["p_holm"]
    assert not row["shown"]
    assert not pair["shown"]


def test_that_categories_are_not_shown_to_differ_is_told(pipelines: dict[str, Judged]) -> None:
    """A test that does not stand is a statement, too: rows that differ would otherwise be read as one."""
    told = summary(pipelines)

    assert "shown to depend on the category" in categories_alike(told, "nDCG@10")
    assert categories_alike({"heterogeneity": []}, "nDCG@10") == ""
