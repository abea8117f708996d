"""The same small collection written in every format, as the tools of each format write it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from evalkit.data.importers import Options
from tests.corpora import DOCUMENTS, GRADES, QUERIES, write_dataset

ALL = MappingProxyType({(q, d): g for q, d, g in GRADES})


class Sample(NamedTuple):
    """What to import, with which decisions, and which grades (by query and document) must come of it."""

    source: str
    options: Options = Options()
    grades: Mapping[tuple[str, str], int] = ALL
    packages: Mapping[str, Any] = MappingProxyType({})


Writer = Callable[[Path], Sample]
SAMPLES: dict[str, Writer] = {}
RATED = {query: {d: g for q, d, g in GRADES if q == query} for query in QUERIES}


def sample(name: str) -> Callable[[Writer], Writer]:
    """File a writer under the format's name."""

    def file(writer: Writer) -> Writer:
        SAMPLES[name] = writer
        return writer

    return file


def texts(folder: Path) -> Options:
    """Write the documents and queries as tables, for formats that keep ids only."""
    write_dataset(folder / "texts")
    return Options(corpus=folder / "texts" / "corpus.jsonl", queries=folder / "texts" / "queries.jsonl")


def write_json(path: Path, value: object) -> str:
    """Write a JSON file and return its path."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")
    return str(path)


def write_csv(path: Path, header: list[str], rows: list[list[object]], delimiter: str = ",") -> str:
    """Write a table as spreadsheets do and return its path."""
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)
    return str(path)


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write a Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


@sample("beir")
def beir(folder: Path) -> Sample:
    """The layout with judgments as JSON lines, as some publishers write them."""
    write_dataset(folder)
    (folder / "qrels" / "test.tsv").unlink()
    lines = [json.dumps({"query-id": q, "corpus-id": d, "score": g}) for q, d, g in GRADES]
    (folder / "qrels" / "test.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return Sample(str(folder))


@sample("csv")
def csv(folder: Path) -> Sample:
    """One table with everything, of a spreadsheet."""
    rows: list[list[object]] = [[q, QUERIES[q][0], QUERIES[q][1], d, DOCUMENTS[d], g] for q, d, g in GRADES]
    header = ["query_id", "query", "category", "doc_id", "text", "rating"]
    return Sample(write_csv(folder / "ratings.csv", header, rows))


@sample("parquet")
def parquet(folder: Path) -> Sample:
    """The same table as Parquet with the columns under other names."""
    rows = [{"question": QUERIES[q][0], "passage": DOCUMENTS[d], "stars": g} for q, d, g in GRADES]
    write_parquet(folder / "ratings.parquet", rows)
    return Sample(str(folder / "ratings.parquet"), Options(columns={"grade": "stars"}))


@sample("trec")
def trec(folder: Path) -> Sample:
    """SGML documents, classic topics, judgments with the iteration column."""
    docs = [f"<DOC>\n<DOCNO> {i} </DOCNO>\n<TEXT>\n{t}\n</TEXT>\n</DOC>\n" for i, t in DOCUMENTS.items()]
    (folder / "docs.sgml").write_text("".join(docs), "utf-8")
    topics = [
        f"<top>\n\n<num> Number: {i}\n<title> {t}\n\n<desc> Description:\nMore of it.\n\n</top>\n"
        for i, (t, _) in QUERIES.items()
    ]
    (folder / "topics.txt").write_text("\n".join(topics), "utf-8")
    (folder / "qrels.txt").write_text("".join(f"{q} 0 {d} {g}\n" for q, d, g in GRADES), "utf-8")
    return Sample(str(folder))


@sample("mteb")
def mteb(folder: Path) -> Sample:
    """A clone from the hub: Parquet folders, scores as floats."""
    write_parquet(
        folder / "corpus" / "test-00000-of-00001.parquet",
        [{"_id": i, "title": "", "text": t} for i, t in DOCUMENTS.items()],
    )
    write_parquet(
        folder / "queries" / "test-00000-of-00001.parquet",
        [{"_id": i, "text": t} for i, (t, _) in QUERIES.items()],
    )
    write_parquet(
        folder / "data" / "test-00000-of-00001.parquet",
        [{"query-id": q, "corpus-id": d, "score": float(g)} for q, d, g in GRADES],
    )
    return Sample(str(folder))


@sample("ranx")
def ranx(folder: Path) -> Sample:
    """`Qrels.save("qrels.json")`."""
    return Sample(write_json(folder / "qrels.json", RATED), texts(folder))


@sample("quepid")
def quepid(folder: Path) -> Sample:
    """A book's export, its documents' fields in it."""
    pairs = [
        {
            "query_text": QUERIES[q][0],
            "doc_id": d,
            "position": None,
            "document_fields": json.dumps({"text": DOCUMENTS[d]}),
            "judgements": [
                {"rating": float(g), "unrateable": False, "judge_later": False, "user_email": "a@example.org"}
            ],
        }
        for q, d, g in GRADES
    ]
    return Sample(write_json(folder / "book.json", {"name": "Leave", "query_doc_pairs": pairs}))


@sample("opensearch")
def opensearch(folder: Path) -> Sample:
    """A judgment list as it is imported, ratings as strings, beside a query set."""
    ratings = [
        {"query": QUERIES[q][0], "ratings": [{"docId": d, "rating": f"{g}.000"} for d, g in rated.items()]}
        for q, rated in RATED.items()
    ]
    options = texts(folder)
    (folder / "srw").mkdir()
    body = {"name": "Imported", "type": "IMPORT_JUDGMENT", "judgmentRatings": ratings}
    write_json(folder / "srw" / "judgments.json", body)
    asked = [{"queryText": text} for text, _ in QUERIES.values()]
    write_json(folder / "srw" / "queries.json", {"name": "All", "querySetQueries": asked})
    return Sample(str(folder / "srw"), Options(corpus=options.corpus))


@sample("elasticsearch")
def elasticsearch(folder: Path) -> Sample:
    """The body of `_rank_eval`."""
    requests = [
        {
            "id": q,
            "request": {"query": {"bool": {"must": [{"match": {"body": {"query": QUERIES[q][0]}}}]}}},
            "ratings": [{"_index": "policies", "_id": d, "rating": g} for d, g in rated.items()],
        }
        for q, rated in RATED.items()
    ]
    body = {"requests": requests, "metric": {"dcg": {"k": 10, "normalize": True}}}
    return Sample(write_json(folder / "rank_eval.json", body), Options(corpus=texts(folder).corpus))


RELEVANT_ONLY = {(q, d): 1 for q, d, g in GRADES if g > 0}
CONTEXTS = {q: [DOCUMENTS[d] for d, g in rated.items() if g > 0] for q, rated in RATED.items()}


@sample("ragas")
def ragas(folder: Path) -> Sample:
    """`testset.to_csv()`: contexts as the text of a Python list."""
    rows: list[list[object]] = [
        [QUERIES[q][0], CONTEXTS[q], "Yes.", "single_hop_specific_query_synthesizer"]
        for q in QUERIES
        if CONTEXTS[q]
    ]
    header = ["user_input", "reference_contexts", "reference", "synthesizer_name"]
    return Sample(write_csv(folder / "testset.csv", header, rows), grades=RELEVANT_ONLY)


@sample("deepeval")
def deepeval(folder: Path) -> Sample:
    """`dataset.save_as("json")`: goldens with their context."""
    goldens = [
        {"input": QUERIES[q][0], "actual_output": None, "expected_output": "Yes.", "context": CONTEXTS[q]}
        for q in QUERIES
        if CONTEXTS[q]
    ]
    return Sample(write_json(folder / "goldens.json", goldens), grades=RELEVANT_ONLY)


@sample("esci")
def esci(folder: Path) -> Sample:
    """Examples and products of the shopping queries data set."""
    letter = {3: "E", 2: "S", 1: "C", 0: "I"}
    write_parquet(
        folder / "shopping_queries_dataset_examples.parquet",
        [
            {
                "example_id": row, "query": QUERIES[q][0], "query_id": int(q[1:]), "product_id": d,
                "product_locale": "us", "esci_label": letter[g], "split": "test",
            }
            for row, (q, d, g) in enumerate(GRADES)
        ],
    )  # fmt: skip
    write_parquet(
        folder / "shopping_queries_dataset_products.parquet",
        [
            {"product_id": i, "product_title": t, "product_brand": None, "product_locale": "us"}
            for i, t in DOCUMENTS.items()
        ],
    )
    return Sample(str(folder))


@sample("wands")
def wands(folder: Path) -> Sample:
    """Three tab-separated tables called .csv, as Wayfair publishes them; grades in words."""
    word = {3: "Exact", 1: "Partial", 0: "Irrelevant"}
    header = ["query_id", "query", "query_class"]
    write_csv(folder / "query.csv", header, [[i, t, c] for i, (t, c) in QUERIES.items()], "\t")
    header = ["product_id", "product_name", "category hierarchy"]
    write_csv(folder / "product.csv", header, [[i, t, ""] for i, t in DOCUMENTS.items()], "\t")
    header = ["id", "query_id", "product_id", "label"]
    rows: list[list[object]] = [[row, q, d, word[g]] for row, (q, d, g) in enumerate(GRADES)]
    write_csv(folder / "label.csv", header, rows, "\t")
    return Sample(str(folder), Options(grades={"Exact": 3}))


@sample("huggingface")
def huggingface(folder: Path) -> Sample:  # noqa: ARG001  # nothing of it is on disk
    """The package's two calls, answered from memory: `datasets` itself would fetch."""
    parts: dict[str, dict[str, list[dict[str, Any]]]] = {
        "corpus": {"test": [{"_id": i, "title": "", "text": t} for i, t in DOCUMENTS.items()]},
        "queries": {"test": [{"_id": i, "text": t} for i, (t, _) in QUERIES.items()]},
        "default": {"test": [{"query-id": q, "corpus-id": d, "score": float(g)} for q, d, g in GRADES]},
    }
    package = SimpleNamespace(
        get_dataset_config_names=lambda _: list(parts),
        load_dataset=lambda _, part: parts[part],
        exceptions=SimpleNamespace(DatasetsError=RuntimeError),
    )
    return Sample("somebody/leave", packages={"datasets": package})


@sample("ir_datasets")
def ir_datasets(folder: Path) -> Sample:  # noqa: ARG001  # nothing of it is on disk
    """The package's named tuples, from memory."""

    def docs() -> Iterator[Any]:
        return (SimpleNamespace(doc_id=i, text=t) for i, t in DOCUMENTS.items())

    def queries() -> Iterator[Any]:
        return (SimpleNamespace(query_id=i, text=t) for i, (t, _) in QUERIES.items())

    def qrels() -> Iterator[Any]:
        return (SimpleNamespace(query_id=q, doc_id=d, relevance=g, iteration="0") for q, d, g in GRADES)

    collection = SimpleNamespace(
        docs_iter=docs, queries_iter=queries, qrels_iter=qrels,
        has_docs=lambda: True, has_queries=lambda: True, has_qrels=lambda: True,
    )  # fmt: skip
    return Sample("leave", packages={"ir_datasets": SimpleNamespace(load=lambda _: collection)})
