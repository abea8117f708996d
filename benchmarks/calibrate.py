"""Calibrating thresholds: a normal data set against a plain bootstrap, a very large one against a sort."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.table import Row, at_least, at_most, process_seconds, publish, seconds
from evalkit.records import Domain, Judged
from evalkit.thresholds.calibrate import calibrate
from evalkit.thresholds.curve import curve_of
from evalkit.thresholds.entry import Entry
from evalkit.thresholds.goals import CRITERIA, LOSSES, Goal, make
from evalkit.thresholds.optimum import Scale, Table, bagged, contenders
from evalkit.thresholds.policy import ThresholdPolicy

DOMAIN = Domain("local", "benchmark", "unit", "plain", "bm25@50", "d")
LARGE = (100_000, 100)
MEMORY = 3.0  # GiB
REPLICATES = 2_000


def drawn(n: int, depth: int, categories: int, seed: int = 1) -> Judged:
    """Draw judged scores in rank order, without going through a run: three relevant documents a query."""
    rng = np.random.default_rng(seed)
    score = rng.normal(-2, 1, (n, depth))
    score[:, :3] += 2.5
    grade = np.zeros((n, depth), np.int32)
    grade[:, :3] = 1
    order = np.argsort(-score, axis=1)
    score = 1 / (1 + np.exp(-np.take_along_axis(score, order, axis=1)))
    rows = n * depth
    return Judged(
        query_ids=tuple(map(str, range(n))),
        category=tuple(f"c{i % categories}" for i in range(n)),
        offsets=np.arange(n + 1) * depth,
        row=np.arange(rows),
        rank=np.tile(np.arange(1, depth + 1, dtype=np.int32), n),
        score=score.ravel(),
        grade=np.take_along_axis(grade, order, axis=1).ravel(),
        judged=np.ones(rows, np.bool_),
        retrieved=np.full(n, depth),
        ideal=np.ones(3 * n, np.int32),
        ideal_offsets=np.arange(n + 1) * 3,
        relevant_from=1,
    )


def estimates(judged: Judged) -> None:
    """Sweep, 2,000 resamples and 5 x 5 cross-fitting of macro and micro F1 in every category."""
    for name in ("F1", "micro_F1"):
        calibrate(judged, Goal.parse({"maximise": name}), domain=DOMAIN, seed=1)


def plain_bootstrap(judged: Judged, replicates: int) -> None:
    """Resample each category's queries and call scikit-learn's curve, micro only."""
    from sklearn.metrics import precision_recall_curve

    rng = np.random.default_rng(1)
    depth = int(judged.offsets[1])
    scores, labels = (part.reshape(-1, depth) for part in (judged.score, judged.grade))
    categories = np.array(judged.category)
    for name in np.unique(categories):
        where = np.flatnonzero(categories == name)
        for _ in range(replicates):
            drawn_rows = rng.choice(where, len(where))
            precision_recall_curve(labels[drawn_rows].ravel(), scores[drawn_rows].ravel())


def certificates(judged: Judged) -> None:
    """Certify every risk of the registry in every category."""
    for name in LOSSES:
        goal = {"risk": name, "at_most": 0.3, "confidence": 0.9}
        calibrate(judged, Goal.parse(goal), domain=DOMAIN, seed=1)


def large() -> None:
    """Print the times of sort and calibration, how grid and exact optimum agree, and the peak memory."""
    judged = drawn(*LARGE, categories=1)
    sorting = seconds(lambda: np.argsort(judged.score), 1)
    start = time.perf_counter()
    curve = curve_of(judged)
    criterion = make(CRITERIA, "F1", {})
    table = Table.of(contenders(curve, criterion), criterion)
    bags = bagged(table, Scale("unit"), np.ones(curve.n, np.bool_), np.random.default_rng(1), 1_000)
    taken = time.perf_counter() - start
    sums = [curve.sums(part.astype(np.float64)) for part in criterion.of(curve.states)]
    values = sums[0][1] / sums[1][1]
    lost = values.max() - float(table.best(np.ones((1, curve.n)))[1][0])
    optimum = Scale("unit").real(sums[0][0][values.argmax()])
    inside = np.quantile(bags, 0.025) <= optimum <= np.quantile(bags, 0.975)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(sorting, taken, lost, int(inside), peak)


def rows() -> list[Row]:
    """Measure against the targets."""
    judged = drawn(200, 50, 8)
    estimates(judged)
    own = seconds(lambda: estimates(judged))
    plain_bootstrap(judged, 1)  # imports scikit-learn, which is no part of the bootstrap
    plain = seconds(lambda: plain_bootstrap(judged, REPLICATES), 1)
    certify = seconds(lambda: certificates(judged), 3)
    policy = ThresholdPolicy({"score_space": "unit"}, {}, Entry(0.5, "estimated"), {})
    results = [(str(i), s) for i, s in enumerate(np.linspace(1, 0, 50).tolist())]
    keep = min(seconds(lambda: [policy.keep(results) for _ in range(1_000)], 5) / 1_000, 1.0)
    bare = process_seconds(sys.executable, "-c", "pass")
    light = process_seconds(sys.executable, "-c", "from evalkit import ThresholdPolicy")
    told = subprocess.run(
        [sys.executable, "-c", "from benchmarks.calibrate import large; large()"],
        check=True, capture_output=True, text=True, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    ).stdout.split()  # fmt: skip
    sorting, taken, lost, inside, peak = map(float, told)
    return [
        at_least(
            f"8 x 25 x 50: plain bootstrap ({plain:.1f} s) by macro and micro estimates ({own:.3f} s)",
            plain / own,
            60,
        ),
        at_most("8 x 25 x 50: every risk certified in every category", certify, 1.5, "s"),
        at_most(
            f"100,000 x 100: exact sweep and 1,000 resamples ({taken:.1f} s) by one argsort",
            taken / sorting,
            5,
        ),
        at_most("... F1 lost by the grid against the exact optimum", lost * 1e6, 100, "millionths"),
        Row(
            "... the exact optimum lies in the 95 % interval of the resampled ones",
            "yes" if inside else "no",
            "yes",
            bool(inside),
        ),
        at_most("... peak memory", peak, MEMORY, "GiB"),
        at_most("`keep()` of 50 results", keep * 1e6, 100, "microseconds"),
        at_most("importing ThresholdPolicy, over `python -c pass`", (light - bare) * 1e3, 60, "ms"),
    ]


def main() -> None:
    """Print the table; `--write` keeps it."""
    notes = "The plain bootstrap made all its resamples; linear algebra had one thread."
    with threadpool_limits(1):
        publish("calibrate", "Calibrating thresholds", rows(), notes)


if __name__ == "__main__":
    main()
