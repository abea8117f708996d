"""The part of docs/proofs/thresholds.md on real queries: Cranfield, split in halves."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from evalkit.api import run as run_suite
from evalkit.experiment.sources import from_directory
from tests.conftest import REAL_DATA
from tests.simulation.halves import contest, expected, promises_kept
from tests.simulation.markdown import table

SPLITS, CONTESTS = 1_000, 200  # of the real queries
COLLECTIONS, OF_EACH = 60, 40  # drawn, and their splits
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


def section(rng: np.random.Generator) -> str:
    """Return the section, or a line that says that the collection is not at hand."""
    if not REAL_DATA.is_dir():
        return "## Cranfield\n\nThe collection was not at hand when this was written.\n"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "suite.yaml").write_text(SUITE.format(folder=REAL_DATA / "cranfield"), "utf-8")
        done = run_suite(folder / "suite.yaml", folder / "out")
        sources = {pipeline: from_directory(done, pipeline) for pipeline in ("embed", "late")}
    rows: list[list[Any]] = []
    for pipeline, source in sources.items():
        for risk, at_most in ASKED:
            goal = {"risk": risk, "at_most": at_most, "confidence": 0.9}
            kept = promises_kept(source.judged, goal, source.domain, SPLITS, rng)
            found = expected(source.judged, goal, source.domain, COLLECTIONS, OF_EACH, rng)
            truth, error = found.truth
            mean, spread = found.usual(SPLITS)
            real = f"{kept.population.share:.3f}", f"{kept.other_half.share:.3f}"
            drawn = f"{truth:.3f} ± {error:.3f}", f"{mean:.3f} (sd {spread:.3f})"
            off = f"{(kept.other_half.share - mean) / spread:+.1f}"
            rows.append([pipeline, risk, at_most, *real, *drawn, off])
    told = HALVES.format(splits=SPLITS, collections=COLLECTIONS, each=OF_EACH)
    parts = [told, table(COLUMNS, rows)]
    rows = []
    for pipeline, source in sources.items():
        ways = contest(source.judged, source.domain, CONTESTS, rng)
        for way in ways.values:
            gain, spread = ways.gain(way)
            told = "" if way == "recommended" else f"{gain:+.4f} (sd over splits {spread:.4f})"
            rows.append([pipeline, way, f"{ways.mean(way):.4f}", told])
    columns = ["pipeline", "thresholds", "mean held-out F1", "recommended gains"]
    parts.append(CONTEST.format(splits=CONTESTS) + table(columns, rows))
    return "\n".join(parts)


HALVES = """
## Cranfield

225 questions in five categories with the embedded models, split in random halves {splits:,} times. Columns
four and five: how often all promises of a half hold on all questions, and on the other half.

What was asked is at least .9 on the other half (.82, allowing for the noise of 200 splits). Where column five
is below .9 a larger number of splits does not mend it. But it is more than a promise of 90 % says. A promise
is about the risk of the population. The other half shows that risk with the noise of some hundred questions
of its own, and its noise is not even independent: what makes one half look better makes the other look worse.

How a promise that is kept looks there is known from collections whose truth is known: {collections}
collections of 225 questions, drawn from the real ones as from a population, each split {each} times. Column
six is how often all promises hold in that population: this is what is promised, at least .9. Column seven is
how often they hold on the other half of such a collection, with the standard deviation over collections (at
{splits:,} splits). The last column is how many of these the real share lies from it: within two, the real
halves look as those of promises that are kept.

"""
COLUMNS = (
    "pipeline",
    "risk",
    "at most",
    "all questions",
    "other half",
    "drawn: in truth",
    "drawn: other half",
    "sd off",
)
CONTEST = """
Mean F1 on the other half, {splits} splits. Splits share their queries: the standard deviation over splits
says how far chance goes, and differences that are small beside it are ties.

"""
