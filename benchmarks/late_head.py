"""Fit the head of `local/late-interaction` on `datasets/everyday` and record it with its data.

    python benchmarks/late_head.py            shows the head, and its worth on queries held out
    python benchmarks/late_head.py --write    also writes evalkit/providers/late_head.json

The logistic regression sees every judged pair of `datasets/everyday`, a set apart from all that evalkit
shows figures of. A pair of grade g counts as relevant with weight g / 3 and as irrelevant with the
rest, so that the score is an expected share of the best grade.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from evalkit.data import beir
from evalkit.providers.late import FEATURES, HEAD_FILE, compare
from evalkit.providers.local import Texts
from evalkit.records import Dataset, Floats
from evalkit.runs import to_json, write_file

ROOT = Path(__file__).parents[1]
BEST_GRADE = 3
FOLDS = 10
DIGITS = 6


def pairs(dataset: Dataset) -> tuple[Floats, Floats, list[str]]:
    """Return the comparisons of every judged pair, its grade as a share of the best, and its query."""
    texts = {
        document.id: f"{document.title}\n{document.text}".strip() for document in dataset.corpus.values()
    }
    encoded = Texts().encode([*texts.values(), *(query.text for query in dataset.queries.values())])
    qrels = dataset.qrels
    query_ids, doc_ids = qrels.query_ids.to_pylist(), qrels.doc_ids.to_pylist()
    names = [query_ids[code] for code in qrels.query.tolist()]
    features = [
        compare(encoded[dataset.queries[name].text], encoded[texts[doc_ids[code]]])
        for name, code in zip(names, qrels.doc.tolist(), strict=True)
    ]
    return np.array(features), qrels.grade / BEST_GRADE, names


def fit(features: Floats, share: Floats) -> LogisticRegression:
    """Return the logistic regression on shares, as weighted pairs of both labels."""
    both = np.concatenate([features, features])
    labels = np.repeat([1, 0], len(features))
    return LogisticRegression(C=np.inf).fit(both, labels, sample_weight=np.concatenate([share, 1 - share]))


def held_out(features: Floats, share: Floats, names: list[str]) -> Floats:
    """Return each pair's score from a head that saw no pair of its query."""
    scores = np.empty(len(share))
    for train, test in GroupKFold(FOLDS).split(features, groups=names):
        scores[test] = fit(features[train], share[train]).predict_proba(features[test])[:, 1]
    return scores


def pairwise_order(scores: Floats, share: Floats, names: list[str]) -> float:
    """Return the share of differently graded pairs of one query that `scores` order rightly, over queries."""
    found = []
    for name in sorted(set(names)):
        rows = np.flatnonzero(np.array(names) == name)
        better = share[rows][:, None] > share[rows][None, :]
        if better.any():
            right = scores[rows][:, None] > scores[rows][None, :]
            found.append(right[better].mean())
    return float(np.mean(found))


def head() -> Mapping[str, Any]:
    """Return the fitted head with the data that it comes from."""
    dataset = beir.load(ROOT / "datasets" / "everyday")
    features, share, names = pairs(dataset)
    model = fit(features, share)
    order = {"head, on queries held out": pairwise_order(held_out(features, share, names), share, names)} | {
        f"{name} alone": pairwise_order(features[:, index], share, names)
        for index, name in enumerate(FEATURES)
    }
    return {
        "coefficients": {
            name: round(float(value), DIGITS) for name, value in zip(FEATURES, model.coef_[0], strict=True)
        },
        "intercept": round(float(model.intercept_[0]), DIGITS),
        "fitted_on": {
            "dataset": dataset.name,
            "digests": dict(dataset.digests),
            "queries": len(set(names)),
            "pairs": len(names),
            "script": "benchmarks/late_head.py",
        },
        "pairs_of_one_query_in_right_order": {name: round(value, 3) for name, value in order.items()},
    }


def main() -> None:
    """Fit, show, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write evalkit/providers/{HEAD_FILE}")
    wanted = parser.parse_args()
    found = head()
    print(json.dumps(found, indent=1))
    if wanted.write:
        write_file(ROOT / "evalkit" / "providers" / HEAD_FILE, to_json(found))


if __name__ == "__main__":
    main()
