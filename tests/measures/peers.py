"""Generated judgments and runs, and what pytrec_eval makes of them."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from evalkit.data.sources import judged_from, qrels_from
from evalkit.measures import evaluate

Grades = Mapping[str, Mapping[str, int]]
Scored = Mapping[str, Mapping[str, float]]

DOCUMENTS = [f"d{i}" for i in range(12)] + ["D1", "é", "a-long-document-id-of-thirty-bytes", "d", "dd"]
# few values, so that ties are common; halves and eighths are the same in float32 and float64
SCORES = st.sampled_from([-1.0, 0.0, 0.125, 0.5, 1.0, 1.5, 2.0, 7.0])


@st.composite
def cases(draw: st.DrawFn, highest: int = 50, lowest: int = -2) -> tuple[Grades, Scored]:
    """Draw judgments and a run: ties, negative grades, queries missing from either, unjudged documents.

    Every judged query has a relevant document somewhere, as peers print 0 where evalkit says undefined.
    """
    queries = [f"q{i}" for i in range(draw(st.integers(1, 5)))]
    grades = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(lowest, highest), max_size=10)
    qrels = {}
    for query in queries:
        drawn = draw(grades) | {draw(st.sampled_from(DOCUMENTS)): draw(st.integers(1, highest))}
        qrels[query] = drawn
    run = {
        query: draw(st.dictionaries(st.sampled_from(DOCUMENTS), SCORES, min_size=1, max_size=17))
        for query in draw(st.lists(st.sampled_from([*queries, "only-in-run"]), min_size=1, unique=True))
    }
    return qrels, run


def ours(qrels: Grades, run: Scored, names: list[str], **options: object) -> dict[str, dict[str, float]]:
    """Return evalkit's values by measure and query."""
    judged = judged_from(run, qrels_from(qrels), **options)
    values = evaluate(judged, names)
    return {name: dict(zip(judged.query_ids, values[name].tolist(), strict=True)) for name in names}


def trec_evals(
    qrels: Grades, run: Scored, names: Mapping[str, str], level: int = 1, judged_only: bool = False
) -> dict[str, dict[str, float]]:
    """Return pytrec_eval's values by our measure and query; 0 for a query that the run lacks.

    `names` maps our measures to theirs, as they are asked for ("ndcg_cut.10").
    """
    import pytrec_eval

    evaluator = pytrec_eval.RelevanceEvaluator(
        {query: dict(of) for query, of in qrels.items()},
        set(names.values()),
        relevance_level=level,
        judged_docs_only_flag=judged_only,
    )
    told = evaluator.evaluate({query: dict(of) for query, of in run.items()})
    return {
        our: {query: told.get(query, {}).get(their.replace(".", "_", 1), 0.0) for query in qrels}
        for our, their in names.items()
    }
