"""How far two graders of a bundled set agree: the judge of every pooled pair, and the authors.

    python -m benchmarks.agreement

The authors wrote down, before any system ran, which documents they had in mind for each query and which are
near misses (`qrels/authors.tsv`). The judge graded all pooled pairs without seeing that (`qrels/test.tsv`).
The pairs that both graded are compared: exact agreement, agreement on relevant or not, and Cohen's kappa
with quadratic weights. Near misses were chosen by the authors, so agreement by chance is lower than over all.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score

DATASETS = Path(__file__).parents[1] / "datasets"
PAIR = ["query-id", "corpus-id"]
RELEVANT = 2
REPLICATES = 2000


def kappa(both: pd.DataFrame) -> float:
    """Return Cohen's kappa with quadratic weights."""
    return float(cohen_kappa_score(both["score_judge"], both["score_author"], weights="quadratic"))


def main() -> None:
    """Print the agreement on both sets."""
    for name in ("handbook", "platform"):
        print(name)
        tell(DATASETS / name / "qrels")


def tell(folder: Path) -> None:
    """Print the agreement with a bootstrap interval over queries."""
    judge = pd.read_csv(folder / "test.tsv", sep="\t")
    author = pd.read_csv(folder / "authors.tsv", sep="\t")
    both = judge.merge(author, on=PAIR, suffixes=("_judge", "_author"))
    queries = dict(list(both.groupby("query-id")))
    names = np.array(sorted(queries))
    rng = np.random.default_rng(7)
    kappas = [
        kappa(pd.concat([queries[name] for name in rng.choice(names, len(names))])) for _ in range(REPLICATES)
    ]
    low, high = np.quantile(kappas, (0.025, 0.975))
    same = (both["score_judge"] == both["score_author"]).mean()
    relevant = ((both["score_judge"] >= RELEVANT) == (both["score_author"] >= RELEVANT)).mean()
    print(f"pairs that both graded: {len(both)} of {len(names)} queries")
    print(f"same grade: {same:.3f}; same side of relevant: {relevant:.3f}")
    print(f"Cohen's kappa, quadratic weights: {kappa(both):.3f} [{low:.3f}, {high:.3f}]")


if __name__ == "__main__":
    main()
