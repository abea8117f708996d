"""docs/proofs/thresholds.md: what thresholds keep of their promises, at full size."""

from __future__ import annotations

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tests.simulation import cranfield, peers
from tests.simulation.markdown import table
from tests.simulation.studies import (
    ALPHA,
    SHAPES,
    Truth,
    bound_misses,
    broken_promises,
    called_unusable,
    certified_at_twice_the_need,
    controlled_risks,
    optimism,
    plug_in_broken,
    pooled_pairs_misses,
    regrets,
)
from tests.simulation.walks import ASKED, POPULATIONS, walk_broken

LOST = {"risk": "lost_answer", "at_most": 0.10, "confidence": 0.90}
MISS = {"risk": "miss", "at_most": 0.20, "confidence": 0.90}
SIZES = (20, 50, 100, 200, 500)
WALKED = 150  # queries


def prove(scale: int = 1) -> str:
    """Return the document, at `scale` times the size that CI runs."""
    with threadpool_limits(1):
        return _prove(scale)


def _prove(scale: int) -> str:
    rng = np.random.default_rng(21)
    parts = [HEAD, _bounds(2_000 * scale, rng), _procedure(60 * scale, rng), _estimates(10 * scale, rng)]
    parts.append(_usable(60 * scale, rng))
    parts += [_walks(40 * scale), cranfield.section(rng)]
    return "\n".join(parts)


def _bounds(runs: int, rng: np.random.Generator) -> str:
    rows: list[list[Any]] = []
    for bound in ("binomial", "betting", "hoeffding-bentkus"):
        for shape in SHAPES if bound != "binomial" else ["0/1"]:
            rates = [bound_misses(bound, shape, n, runs, rng) for n in SIZES]
            rows.append([bound, shape, *(f"{rate.share:.3f}" for rate in rates)])
    for shape in SHAPES if peers.at_hand() else ():
        rates = [bound_misses("MAPIE's betting", shape, n, runs, rng) for n in SIZES]
        told = (
            f"**{rate.share:.3f}**" if rate.share > 0.1 + 3 * rate.error else f"{rate.share:.3f}"
            for rate in rates
        )
        rows.append(["MAPIE's betting", shape, *told])
    pooled = [pooled_pairs_misses(n, runs, rng) for n in SIZES]
    rows.append(["binomial on pooled pairs", "query effects", *(f"**{rate.share:.3f}**" for rate in pooled)])
    about = MAPIE.format(version=peers.version()) if peers.at_hand() else NO_MAPIE
    return BOUNDS.format(runs=runs) + about + table(["bound", "loss", *(f"n = {n}" for n in SIZES)], rows)


def _procedure(runs: int, rng: np.random.Generator) -> str:
    truth = Truth.of(rng)
    rows: list[list[Any]] = []
    for told, goal in (("lost answers at most 10 %", LOST), ("misses at most 20 %", MISS)):
        rate = broken_promises(goal, runs, rng, truth)
        rows.append([told, f"{rate.share:.3f} ± {rate.error:.3f}", f"{rate.certified:.1f}"])
    population = {"negative": 0.4, "separation": 5.0}
    two = [LOST, {"risk": "false_answer", "at_most": 0.40}]
    rate = broken_promises(two, runs, rng, Truth.of(rng, **population), **population)
    rows.append(
        [
            "both, and false answers at most 40 %",
            f"{rate.share:.3f} ± {rate.error:.3f}",
            f"{rate.certified:.1f}",
        ]
    )
    plug = plug_in_broken(100, runs, rng, truth)
    rows.append(["plug-in, lost answers (n = 100)", f"**{plug.share:.3f}** ± {plug.error:.3f}", "-"])
    parts = [
        PROCEDURE.format(runs=runs),
        table(["goal", "some promise broken", "categories certified"], rows),
    ]
    rows = []
    for loss in ("lost_answer", "miss"):
        risks = controlled_risks(loss, 60, 4 * runs, rng, truth)
        error = risks.std(ddof=1) / np.sqrt(len(risks))
        rows.append([loss, f"{risks.mean():.4f} ± {error:.4f}", f"{(risks > ALPHA).mean():.2f}"])
    parts.append(CONTROL.format(runs=4 * runs) + table(["loss", "mean true risk", "runs above 10 %"], rows))
    return "\n".join(parts)


def _estimates(runs: int, rng: np.random.Generator) -> str:
    truth = Truth.of(rng)
    rows: list[list[Any]] = []
    for criterion in ("F1", "micro_F1"):
        for spread in (0.0, 0.5, 1.0):
            for n in (8, 15, 30, 60):
                found = regrets(n, spread, runs, rng, truth, {"maximise": criterion})
                ways = (found.separate, found.one, found.recommended)
                rows.append(
                    [criterion, spread, n, *(f"{way.mean():.4f}" for way in ways), f"{found.excess():.4f}"]
                )
    columns = ["criterion", "spread", "n", "separate optima", "one for all", "recommended", "excess"]
    parts = [REGRET.format(runs=runs), table(columns, rows)]
    rows = []
    for n in (8, 15, 30, 60):
        bias = optimism(n, 0.5, 2 * runs, rng, truth)
        rows.append([n, f"{bias.in_sample:+.4f}", f"{bias.cross_fitted:+.4f} ± {bias.error:.4f}"])
    parts.append(OPTIMISM.format(runs=2 * runs) + table(["n", "in sample", "cross-fitted"], rows))
    return "\n".join(parts)


def _walks(runs: int) -> str:
    rows: list[list[Any]] = []
    for population in POPULATIONS:
        for loss, options, limits in ASKED:
            for limit in limits:
                rate = walk_broken(population, loss, options, limit, WALKED, runs, len(rows))
                told = f"{rate.share:.3f} ± {rate.error:.3f}"
                rows.append([population, loss, limit, told, f"{rate.certified:.2f}"])
    columns = ["population", "loss", "at most", "some certified threshold broken", "any certified"]
    return WALKS.format(runs=runs, n=WALKED) + table(columns, rows)


def _usable(runs: int, rng: np.random.Generator) -> str:
    rows: list[list[Any]] = []
    for told, goal in (("lost answers at most 10 %", LOST), ("best F1", {"maximise": "F1"})):
        rate = called_unusable(goal, 60, runs, rng)
        rows.append([f"no information in the scores, {told}: unusable", f"{rate.share:.3f}"])
    for told, goal in (("lost answers at most 10 %", LOST), ("misses at most 20 %", MISS)):
        rate = certified_at_twice_the_need(goal, 15, runs, rng)
        rows.append(
            [
                f"twice the queries that a pilot of 15 asks for, {told}: a filter certified",
                f"{rate.share:.3f}",
            ]
        )
    return USABLE.format(runs=runs) + table(["case", "share of runs"], rows)


HEAD = """# Thresholds: what they keep of their promises

Written by `make prove` (`tests/simulation/thresholds.py`); CI runs the same studies smaller. Simulated
queries have 30 candidates, 1 to 5 of them relevant. A score's log-odds are normal around its category's level
and its query's own effect (standard deviation .7); relevant documents lie 2.5 higher. The truth is one sample
of 100,000 queries. Confidence is 90 % throughout.
"""
BOUNDS = """
## Bounds

How often a bound certifies a risk that is exactly at its limit of 10 %, the worst case: at most .100 is
promised. {runs:,} samples a cell. Pairs pooled as if they were independent break the promise: that is why the
query is the unit.
"""
MAPIE = """
MAPIE {version} offers the same betting bound (`rcps` with `wsr`). It adds the greatest log capital of the
first half of the losses to the greatest of the second, as if a bettor could keep the best of both: that is no
longer a bet, and in bold it misses more often than it says, by more than three standard errors. Where the
capital only grows (no losses at all) both agree, as they do on Hoeffding-Bentkus and conformal risk control
(`tests/stats/test_bounds.py`).

"""
NO_MAPIE = """
MAPIE was not installed when this was written: its bound is not in the table.

"""
PROCEDURE = """
## The whole procedure

Four categories of 45, 60, 60 and 150 queries at different levels. How often any promise of a policy, of a
category or of the mixture, is broken in truth: at most .100 is promised, for all of them together. {runs}
calibrations a row. The plug-in threshold, the boldest whose observed risk is at its limit, promises nothing.

"""
CONTROL = """
In expectation (conformal risk control, limit 10 %, 60 queries, {runs} calibrations): the mean risk is
promised, single calibrations are not.

"""
REGRET = """
## Estimates

Eight categories with n queries each, whose levels spread by so many logits. Regret is the best value of the
criterion in a category minus that at the threshold; `excess` is how much the recommendation loses to the best
of the three: at most .003 is promised. {runs} populations a row.

The way of recommending was chosen among six on populations of this same family (other seeds), so the table
confirms that choice here; it does not show that it is the best on other populations.

"""
OPTIMISM = """
Reported minus true F1 (spread .5, {runs} populations a row): measured on the queries that chose the
threshold, and cross-fitted as evalkit reports it.

"""
USABLE = """
## Usable or not

{runs} runs a row; at least .95 and .80 are promised.

"""
WALKS = """
## Losses without a safe end

A loss that is least neither at low nor at high thresholds is searched downwards from a few starts, each with
its share of the error; `false_discovery` is walked from the top, though it need not rise all the way. What is
promised is about every certified threshold at once, not only the chosen one: in at most .100 of the runs is
the true risk of any of them above its limit. {runs} samples of {n} queries a row; the truth is one sample of
50,000. In the second population a third of the queries have two irrelevant candidates on top, so that risks
fall, rise and fall again along the thresholds; in the third a rule cuts what scores below 60 % of the query's
top score (`miss` has a safe end, and shows that a rule leaves its promise as it was). Splitting the error
between starts makes the first three losses' rates far smaller than .100: what the missing safe end costs.

"""
