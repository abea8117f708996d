"""What a calibration says, in sentences that need no textbook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from evalkit.thresholds.calibrate import Calibration
from evalkit.thresholds.entry import Entry, Promise
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.groups import OVERALL
from evalkit.thresholds.policy import ThresholdPolicy
from evalkit.thresholds.transfer import Transfer
from evalkit.words import plural

RISKS = {
    "miss": "of the relevant candidates are dropped",
    "lost_answer": "of the answerable queries lose every relevant document",
    "false_answer": "of the queries that nothing answers get a document",
    "false_discovery": "of a query's kept documents are irrelevant, on average over queries",
    "micro_false_discovery": "of all kept documents are irrelevant",
    "cost": "of the greatest possible cost is incurred",
    "f_loss": "is lost of a perfect F",
    "ndcg_loss": "is lost of a perfect nDCG",
}
ALL = "(all)"  # how tables and remarks call the threshold of all queries
SURE = 0.05  # categories are said to differ below this p-value


def statement(policy: ThresholdPolicy) -> str:
    """Say what was asked for, and which of the three kinds of statement the thresholds make."""
    goal = Goal.parse(policy.goal)
    rule = f" A document must also pass the rule: {policy.rule}." if policy.rule else ""
    if goal.statement == "estimate":
        what = goal.criterion.name if goal.criterion else "the mean score of borderline documents"
        return f"Estimates ({what}): what these queries suggest. They promise nothing.{rule}"
    asked = " and ".join(f"at most {100 * risk.at_most:.3g} % {RISKS[risk.loss.name]}" for risk in goal.risks)
    return f"Promised where certified: {asked}; {policy.family}.{rule}"


def remarks(policy: ThresholdPolicy) -> Iterator[str]:
    """Yield, for each category, the bounds of its promise, and what is missing or doubtful."""
    for name, entry in ((ALL, policy.default), *policy.categories.items()):
        told = list(_remarks(entry))
        if told:
            yield f"{name}: {'; '.join(told)}"


def bounds(promise: Promise) -> str:
    """Say how large the promised risks can be, and on how many queries that rests."""
    word = "bounded by" if promise.kind == "confidence" else "expected to be at most"
    parts = (promise, *promise.also)
    return ", ".join(f"{one.risk} {word} {one.upper_bound:.3f} ({plural(one.n, 'query')})" for one in parts)


def _remarks(entry: Entry) -> Iterator[str]:
    if entry.promise is not None and entry.status == "certified":
        yield bounds(entry.promise)
    yield from entry.notes
    if entry.needs_queries:
        yield f"with {plural(entry.needs_queries, 'more labelled query')} the promise is likely (4 in 5)"


def heterogeneity(calibration: Calibration) -> str:
    """Say whether the categories' thresholds differ, and what follows; empty where it was not tested."""
    pooled, policy = calibration.pooled, calibration.policy
    if pooled is None:
        return ""
    p = f"p = {pooled.p_value:.3f}" if pooled.p_value >= 0.001 else "p < 0.001"
    if pooled.p_value < SURE:
        share = f"{pooled.i_squared:.0%} of their spread is no chance"
        return f"The categories need different thresholds ({p}, {share})."
    one = policy.default.threshold
    advice = f"one threshold, {one:.4g}, serves them all" if one is not None else "one would serve them all"
    return f"The categories' thresholds do not differ beyond chance ({p}): {advice}."


def winner(compared: Mapping[str, Any]) -> str:
    """Say which cut rule does best and on which queries, from what `experiment.heldout.rules` returns."""
    rules, criterion = compared["compared"], compared["criterion"]
    absolute, better = rules[0], [row for row in rules if row["better"]]
    part = f" of the {compared['part']} part" if compared["part"] else ""
    n = plural(compared["n_queries"], "query")
    where = (
        f"Cut rules, one for all categories, were compared on {n}{part}, each "
        "held out of choosing the cut that it was measured with."
    )
    if absolute["value"]["point"] is None:
        return f"Cut rules cannot be compared: {criterion} is undefined on these queries."
    if not better:
        return (
            f"{where} No other (relative to the top score, the k best, either with a threshold) is shown to "
            f"do better than the threshold alone: {criterion} {absolute['value']['point']:.3f}."
        )
    best = max(better, key=lambda row: float(row["difference"]["point"]))
    gain = best["difference"]
    told = (
        f"{where} A rule does better than the threshold alone: {best['told']}, {criterion} "
        f"{best['value']['point']:.3f}, {gain['point']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]."
    )
    carried = ", ".join(f"{name}: {value:g}" for name, value in best["carried"].items())
    advice = f" A goal carries it as `rule: {{{carried}}}`; a promise with it takes other queries than these."
    return told + (advice if carried else "")


def moved(transfer: Transfer) -> Iterator[str]:
    """Yield what the old threshold does on the new scores, and whether the move loses anything."""
    for name, one in transfer.categories.items():
        for risk in one.risks:
            if risk.before is None or risk.naive is None or risk.naive_upper is None:
                continue
            told = (
                f"{ALL if name == OVERALL else name}: {risk.risk} {risk.before:.1%} before; the old "
                f"threshold on the new scores {risk.naive:.1%} (at most {risk.naive_upper:.1%}, "
                f"{plural(risk.n, 'query')})"
            )
            if risk.after is not None and risk.non_inferior_p is not None:
                words = "not worse by 5 points" if risk.non_inferior_p <= 0.1 else "not shown to be no worse"
                told += f"; moved {risk.after:.1%}, {words} (p = {risk.non_inferior_p:.3f})"
            yield told
