"""`ragas` and `deepeval`: test sets of questions with the contexts that answer them."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalkit.data.importers import parts
from evalkit.data.importers.options import Options
from evalkit.data.importers.sink import Sink, TextIds
from evalkit.data.importers.sources import files_of
from evalkit.data.importers.tabular import records

RELEVANT = 1
RAGAS_QUESTION = ("user_input", "question")
RAGAS_CONTEXTS = ("reference_contexts", "ground_truth_context", "contexts")
RAGAS_IDS = ("reference_context_ids",)
RAGAS_CATEGORY = ("synthesizer_name", "evolution_type")
DEEPEVAL_QUESTION = ("input",)
DEEPEVAL_CONTEXTS = ("context",)
BETWEEN = ";"  # between contexts in DeepEval's CSV files


def read_ragas(source: str, options: Options, sink: Sink) -> None:
    """Read a test set of Ragas: each reference context is a relevant document of its question."""
    _read(source, options, sink, RAGAS_QUESTION, RAGAS_CONTEXTS, RAGAS_CATEGORY)


def read_deepeval(source: str, options: Options, sink: Sink) -> None:
    """Read goldens of DeepEval: each entry of `context` is a relevant document of its `input`."""
    _read(source, options, sink, DEEPEVAL_QUESTION, DEEPEVAL_CONTEXTS, ())


def _read(
    source: str,
    options: Options,
    sink: Sink,
    question: Sequence[str],
    contexts: Sequence[str],
    category: Sequence[str],
) -> None:
    """Read a test set; contexts that `--corpus` has by their text are its documents, others their own."""
    queries, documents = TextIds("q"), TextIds("c")
    if options.corpus is not None:
        parts.corpus(sink, options.corpus)
        for line, row in records(sink, options.corpus):
            key = parts.named(row, options.columns, "doc_id", parts.OWN_ID)
            if line is not None and key and isinstance(row.get("text"), str):
                documents.known(row["text"], str(row[key]))
    for path in files_of(source, "*.jsonl", "*.json", "*.csv", "*.parquet"):
        for line, row in records(sink, path):
            chosen = options.columns
            columns = {
                "query": chosen.get("query") or next((name for name in question if name in row), None),
                "text": chosen.get("text") or next((name for name in contexts if name in row), None),
            }
            parts.demand(path, row, chosen, columns)
            asked = str(row[columns["query"] or ""] or "")
            kind = next((str(row[name]) for name in category if row.get(name)), "")
            query = queries[asked]
            sink.query(path, line, query, asked, [kind] if kind else [])
            ids = _listed(next((row[name] for name in RAGAS_IDS if row.get(name)), None))
            _contexts(sink, path, line, query, _listed(row[columns["text"] or ""]), ids, documents)


def _contexts(
    sink: Sink, path: Path, line: int | None, query: str, texts: list[str], ids: list[str], documents: TextIds
) -> None:
    named = len(ids) == len(texts)
    for place, text in enumerate(texts):
        name = ids[place] if named else documents[text]
        if name not in sink.documents or not sink.options.corpus:
            sink.document(path, line, name, text)
        sink.rating(path, line, query, name, RELEVANT)


def _listed(value: Any) -> list[str]:
    """Return a list of contexts, also from the ways in which CSV files write one."""
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("["):
            for read in (json.loads, ast.literal_eval):
                try:
                    value = read(text)
                except (ValueError, SyntaxError, RecursionError, MemoryError):
                    continue
                break
        if isinstance(value, str):
            value = text.split(BETWEEN)
    found = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return [str(one).strip() for one in found if one is not None and str(one).strip()]
