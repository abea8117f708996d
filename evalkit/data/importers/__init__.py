"""Other people's formats: each in a file of its own, found by name, imported when first used."""

from __future__ import annotations

from collections.abc import Callable

from evalkit.data.importers.options import Options
from evalkit.data.importers.sink import Sink
from evalkit.registry import Registry

Importer = Callable[[str, Options, Sink], None]

IMPORTERS = Registry[Importer]("format")
for _name, _target in {
    "beir": "beir:read",
    "csv": "table:read",
    "deepeval": "rag:read_deepeval",
    "elasticsearch": "elasticsearch:read",
    "esci": "shops:read_esci",
    "huggingface": "huggingface:read",
    "ir_datasets": "ir_datasets:read",
    "mteb": "mteb:read",
    "opensearch": "opensearch:read",
    "parquet": "table:read",
    "quepid": "quepid:read",
    "ragas": "rag:read_ragas",
    "ranx": "ranx:read",
    "trec": "trec:read",
    "wands": "shops:read_wands",
}.items():
    IMPORTERS.register_lazy(_name, f"evalkit.data.importers.{_target}")

__all__ = ["IMPORTERS", "Importer", "Options", "Sink"]
