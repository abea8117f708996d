"""What is remarkable or wrong in the scores, before a threshold is looked for: all findings at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np

from evalkit.errors import DataError, Finding
from evalkit.records import Domain, Ints, Judged
from evalkit.thresholds.goals import Goal
from evalkit.words import plural

WIDE = 10  # candidates of a query, above which a promise about all kept pairs needs to be told how many show


def inspect(
    judged: Judged,
    domain: Domain,
    groups: Mapping[str, Ints],
    goal: Goal,
    failed: Collection[str] = (),
    clusters: Ints | None = None,
) -> tuple[Finding, ...]:
    """Return remarks on the input.

    Raises:
        DataError: there are scores that no threshold can be calibrated on.
    """
    found = [*_scores(judged, domain), *_censored(judged, domain), *_labels(judged, groups, goal)]
    found += [*_failures(judged, failed), *_clusters(clusters), *_goal(judged, goal)]
    errors = [finding for finding in found if finding.severity == "error"]
    if errors:
        raise DataError(errors)
    return tuple(found)


def _warn(where: str, what: str, remedy: str, severity: str = "warning") -> Finding:
    return Finding(where, None, what, remedy, severity)


def _scores(judged: Judged, domain: Domain) -> list[Finding]:
    score, found = judged.score, []
    if not len(score):
        remedy = "Check that the grades are filled in, and that run and judgments name the same queries"
        return [_warn("scores", "no judged query has a candidate", remedy, "error")]
    if not np.isfinite(score).all():
        bad = int((~np.isfinite(score)).sum())
        what = f"{plural(bad, 'score is', 'scores are')} NaN or infinite"
        found.append(_warn("scores", what, "Score these pairs again or drop them", "error"))
    elif domain.score_space == "unit" and (score.min() < 0 or score.max() > 1):
        what = f"scores run from {score.min():.4g} to {score.max():.4g}, but the domain says 0 to 1"
        found.append(_warn("scores", what, "Name the score space that they have", "error"))
    elif score.min() == score.max():
        what = f"every score is {score.min():.4g}: no threshold separates anything"
        found.append(_warn("scores", what, "Check what the reranker returned"))
    same = np.diff(score) == 0
    same[judged.offsets[1:-1][(judged.offsets[1:-1] > 0) & (judged.offsets[1:-1] < len(score))] - 1] = False
    if same.sum() > 0.05 * len(score):
        what = f"{same.sum() / len(score):.0%} of the candidates tie with the one above them"
        found.append(
            _warn("scores", what, "Tied documents are kept or dropped together; score with more digits")
        )
    return found


def _censored(judged: Judged, domain: Domain) -> list[Finding]:
    depth = re.search(r"@(\d+)$", domain.candidates)
    counts = np.unique(judged.retrieved[judged.retrieved > 0])
    if not depth or len(counts) != 1 or counts[0] >= int(depth[1]):
        return []
    what = (
        f"every query has exactly {counts[0]} scored candidates, where {domain.candidates} declares "
        f"{depth[1]}: it looks cut by top_n, and a threshold needs the scores of all candidates"
    )
    return [_warn("scores", what, "Rerank without top_n")]


def _labels(judged: Judged, groups: Mapping[str, Ints], goal: Goal) -> list[Finding]:
    found, n = [], len(judged.query_ids)
    positives = np.bincount(judged.query[judged.relevant], minlength=n) > 0
    answered = np.bincount(judged.ideal_query[judged.ideal >= judged.relevant_from], minlength=n) > 0
    wants_negatives = any(risk.loss.population == "negative" for risk in goal.risks)
    for name, where in groups.items():
        place = f"category {name!r}"
        if not positives[where].any():
            found.append(
                _warn(place, "no query has a relevant candidate", "Label some, or look at the retriever")
            )
        if wants_negatives and answered[where].all():
            what = "no negative query: false answers cannot be measured"
            found.append(
                _warn(place, what, "Add queries that nothing answers, with judged documents of grade 0")
            )
    unjudged = float((~judged.judged).mean()) if len(judged.judged) else 0.0
    if unjudged > 0:
        what = f"{unjudged:.0%} of the candidates are unjudged and count as irrelevant"
        found.append(_warn("judgments", what, "See the thresholds under other readings", "note"))
    missed = int((answered & ~positives).sum())
    if missed:
        what = f"{missed} of {int(answered.sum())} answerable queries have no relevant candidate"
        found.append(
            _warn("retriever", what, "No threshold finds them: they are the retriever's losses", "note")
        )
    return found


def _goal(judged: Judged, goal: Goal) -> list[Finding]:
    deepest = int(np.diff(judged.offsets).max(initial=0))
    asked = goal.text.get("risks", [goal.text])
    wide = [one for one in asked if one.get("risk") == "micro_false_discovery" and "k" not in one]
    if not wide or deepest <= WIDE:
        return []
    what = (
        f"`micro_false_discovery` without `k` is bounded over lists of up to {deepest} documents: each moves "
        f"its query's loss by 1/{deepest} at most, and few thresholds, if any, are certified"
    )
    return [_warn("goal", what, "Say how many documents are shown at most, such as k: 10")]


def _failures(judged: Judged, failed: Collection[str]) -> list[Finding]:
    lost = sorted(set(failed) & set(judged.query_ids))
    if not lost:
        return []
    what = (
        f"{plural(len(lost), 'query has', 'queries have')} no scores: the request failed, as for {lost[0]!r}"
    )
    return [
        _warn("scores", what, "A promise counts each as lost, estimates leave them out; run again to resume")
    ]


def _clusters(clusters: Ints | None) -> list[Finding]:
    if clusters is None:
        return []
    together = len(clusters) - len(np.unique(clusters))
    belong = plural(together, "query belongs", "queries belong")
    what = f"{belong} to another (a declared group, or nearly the same text)"
    return (
        [_warn("queries", what, "The queries of a group count as one, in promises and intervals", "note")]
        if together
        else []
    )
