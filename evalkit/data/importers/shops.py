"""`esci` and `wands`: product search with grades in words, in the tables that their authors publish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from evalkit.data.importers import parts
from evalkit.data.importers.options import Options
from evalkit.data.importers.sink import Sink, need
from evalkit.data.importers.sources import find
from evalkit.data.importers.tabular import records

ESCI = {"E": 3, "S": 2, "C": 1, "I": 0, "Exact": 3, "Substitute": 2, "Complement": 1, "Irrelevant": 0}
ESCI_GAINS = {3: 1.0, 2: 0.1, 1: 0.01}  # task 1 of its authors: Reddy et al., arXiv 2206.06588, 2022
WANDS = {"Exact": 2, "Partial": 1, "Irrelevant": 0}
ESCI_FIELDS = "product_title,product_brand,product_color,product_bullet_point,product_description"
WANDS_FIELDS = "product_name,product_class,category hierarchy,product_description,product_features"


def read_esci(source: str, options: Options, sink: Sink) -> None:
    """Read `*examples*` (query_id, query, product_id, esci_label) and `*products*`, Parquet or CSV."""
    folder = _folder(source)
    options = replace(options, gains=options.gains or ({} if options.grades else ESCI_GAINS))
    _prepare(sink, options, ESCI, {"doc_id": "product_id", "grade": "esci_label", "fields": ESCI_FIELDS})
    for path in _tables(folder, "products"):
        parts.corpus(sink, path, folder)
    for path in _tables(folder, "examples"):
        for line, row in records(sink, path):
            locale = {"locale": row["product_locale"]} if row.get("product_locale") else None
            sink.query(path, line, row.get("query_id"), row.get("query"), (), locale)
            grade = row.get(sink.options.columns["grade"])
            sink.rating(path, line, row.get("query_id"), row.get("product_id"), grade)


def read_wands(source: str, options: Options, sink: Sink) -> None:
    """Read `query.csv` (its query_class is the category), `product.csv` and `label.csv`."""
    folder = _folder(source)
    _prepare(
        sink, options, WANDS, {"category": "query_class", "doc_id": "product_id", "fields": WANDS_FIELDS}
    )
    for path in _tables(folder, "product"):
        parts.corpus(sink, path, folder)
    for path in _tables(folder, "query"):
        parts.queries(sink, path, folder)
    for path in _tables(folder, "label"):
        parts.judgments(sink, path, folder)


def _folder(source: str) -> Path:
    need(Path(source).is_dir(), source, "name the folder that holds the tables")
    return Path(source)


def _prepare(sink: Sink, options: Options, grades: Mapping[str, int], columns: Mapping[str, str]) -> None:
    """Let the format's own words and columns stand where the user gave none."""
    sink.options = replace(
        options, grades={**grades, **options.grades}, columns={**columns, **options.columns}
    )


def _tables(folder: Path, name: str) -> list[Path]:
    kinds = ("parquet", "csv", "csv.gz", "tsv")
    found = find(folder, *(f"{start}{name}*.{kind}" for start in ("", "*") for kind in kinds))
    need(found, folder, f"no table of {name}")
    return found
