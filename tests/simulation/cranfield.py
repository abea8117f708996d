"""The part of docs/proofs/thresholds.md on real queries: Cranfield, split in halves."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evalkit.api import run as run_suite
from evalkit.experiment.sources import Source, from_directory
from tests.conftest import REAL_DATA
from tests.simulation.halves import contest, expected, promises_kept
from tests.simulation.markdown import table

SPLITS, COLLECTIONS, SEED = 200, 40, 22
LOWEST = 0.1  # of the collections: a row that is among them is said to be low
ASKED = (("lost_answer", 0.1), ("lost_answer", 0.2), ("miss", 0.3), ("miss", 0.5))
SUITE = """\
name: cranfield
dataset: {folder}
depth: 50
pipelines:
  embed: {{retrieve: local/minilm-l6}}
  late: {{retrieve: local/minilm-l6, rerank: local/late-interaction}}
measures: [nDCG@10]
"""


def section() -> str:
    """Return the section, or a line that says that the collection is not at hand."""
    if not REAL_DATA.is_dir():
        return "## Cranfield\n\nThe collection was not at hand when this was written.\n"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "suite.yaml").write_text(SUITE.format(folder=REAL_DATA / "cranfield"), "utf-8")
        done = run_suite(folder / "suite.yaml", folder / "out")
        sources = {pipeline: from_directory(done, pipeline) for pipeline in ("embed", "late")}
    return "\n".join([_promises(sources), _contest(sources)])


def _promises(sources: Mapping[str, Source]) -> str:
    goals = [{"risk": risk, "at_most": at_most, "confidence": 0.9} for risk, at_most in ASKED]
    rows: list[list[Any]] = []
    real, drawn = [], []
    for pipeline, source in sources.items():
        about = source.judged, goals, source.domain
        kept, found = promises_kept(*about, SPLITS, SEED), expected(*about, COLLECTIONS, SPLITS, SEED)
        for (risk, at_most), one, like in zip(ASKED, kept, found, strict=True):
            truth, error = like.truth
            shares = f"{one.population.share:.3f}", f"{one.other_half.share:.3f}"
            known = f"{truth:.3f} ± {error:.3f}", f"{like.other_half.mean():.3f}"
            low = f"{like.as_low(one.other_half.share)} of {COLLECTIONS}"
            rows.append([pipeline, risk, at_most, *shares, *known, low])
            real.append(one.other_half.share)
            drawn.append(like.other_half)
    limits = np.quantile(drawn, LOWEST, axis=1)
    low_here, low_there = int((real <= limits).sum()), (np.array(drawn) <= limits[:, None]).sum(axis=0)
    told = LOOKS.format(rows=len(rows), low=low_here, each=COLLECTIONS, many=(low_there >= low_here).sum())
    return HALVES.format(splits=SPLITS, collections=COLLECTIONS) + table(COLUMNS, rows) + told


def _contest(sources: Mapping[str, Source]) -> str:
    rows: list[list[Any]] = []
    for pipeline, source in sources.items():
        ways = contest(source.judged, source.domain, SPLITS, np.random.default_rng(SEED))
        for way in ways.values:
            gain, spread = ways.gain(way)
            told = "" if way == "recommended" else f"{gain:+.4f} (sd over splits {spread:.4f})"
            rows.append([pipeline, way, f"{ways.mean(way):.4f}", told])
    columns = ["pipeline", "thresholds", "mean held-out F1", "recommended gains"]
    return CONTEST.format(splits=SPLITS) + table(columns, rows)


HALVES = """
## Cranfield

225 questions in five categories with the embedded models, split in random halves {splits} times. Columns
four and five: how often all promises of a half hold on all questions, and on the other half.

What was asked is at least .9 on the other half (.82, allowing for the noise of 200 splits). Where column five
is below .9 a larger number of splits does not mend it. But it is more than a promise of 90 % says. A promise
is about the risk of the population. The other half shows that risk with the noise of some hundred questions
of its own, and its noise is not even independent: what makes one half look better makes the other look worse.

How a promise that is kept looks there is known from collections whose truth is known: {collections}
collections of 225 questions, each split {splits} times. They are drawn from a population of the real
questions, ten copies of each, whose scores are moved a little so that no two are the same. Column six is how
often all promises hold in that population: this is what is promised, at least .9. Column seven is how often
they hold on the other half of such a collection, and the last column in how many of the collections they hold
there as rarely as on the real halves.

"""
LOOKS = """
The rows are not {rows} looks at {rows} things: all are at the same questions. The real share is in the lowest
tenth of the collections in {low} of {rows} rows; {many} of the {each} collections are so in as many or more.
"""
COLUMNS = (
    "pipeline",
    "risk",
    "at most",
    "all questions",
    "other half",
    "drawn: in truth",
    "drawn: other half",
    "as low",
)
CONTEST = """
Mean F1 on the other half, {splits} splits. Splits share their queries: the standard deviation over splits
says how far chance goes, and differences that are small beside it are ties.

"""
