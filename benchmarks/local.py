"""Import, start, embedding, exact search and a second run: what a newcomer waits for."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.table import Row, at_least, at_most, process_seconds, publish, seconds
from evalkit.pipelines.retrieve import dense
from evalkit.providers import local
from evalkit.providers.base import Context
from evalkit.providers.minilm import BATCH, Encoder
from evalkit.transport.ledger import Ledger

ROOT = Path(__file__).parents[1]
HANDBOOK = ROOT / "datasets" / "handbook"
TYPER_PROGRAM = "import typer\napp = typer.Typer()\n@app.command()\ndef hello(): ...\napp(['--help'])"


def starting() -> list[Row]:
    """`import evalkit` against bare Python, `evalkit --help` against a one-command typer program."""
    bare = process_seconds(sys.executable, "-c", "pass")
    imported = process_seconds(sys.executable, "-c", "import evalkit")
    policy = process_seconds(sys.executable, "-c", "from evalkit import ThresholdPolicy")
    typer = process_seconds(sys.executable, "-c", TYPER_PROGRAM)
    told = process_seconds(sys.executable, "-m", "evalkit", "--help")
    return [
        at_most("`import evalkit` over `python -c pass`", imported / bare, 2),
        at_most(
            "`from evalkit import ThresholdPolicy`, beyond `python -c pass`", 1e3 * (policy - bare), 60, "ms"
        ),
        at_most("`evalkit --help` over a one-command typer program", told / typer, 1.5),
    ]


def embedding() -> list[Row]:
    """The encoder against the bare onnxruntime loop on the same batches, and against unsorted batches."""
    encoder = Encoder()
    texts = [json.loads(line)["text"] for line in (HANDBOOK / "corpus.jsonl").open(encoding="utf-8")]
    texts += [json.loads(line)["text"] for line in (HANDBOOK / "queries.jsonl").open(encoding="utf-8")]
    texts = list(dict.fromkeys(texts))
    tokens = encoder.tokenize(texts)
    order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
    shuffled = np.random.default_rng(7).permutation(len(tokens)).tolist()
    session = encoder._session

    def bare(order: list[int]) -> None:
        for start in range(0, len(order), BATCH):
            batch = [tokens[index] for index in order[start : start + BATCH]]
            ids = np.zeros((len(batch), max(map(len, batch))), dtype=np.int64)
            mask = np.zeros_like(ids)
            for row, text in enumerate(batch):
                ids[row, : len(text)] = text
                mask[row, : len(text)] = 1
            session.run(
                ["last_hidden_state"],
                {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)},
            )

    def ours() -> None:
        local.shared_texts.cache_clear()
        local.shared_texts()._encoder = encoder
        with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "ledger.sqlite") as ledger:
            local.MiniLM("local/minilm-l6", Context(ledger)).embed(texts, "document")

    ours()
    loop = seconds(lambda: bare(order), 3)
    return [
        at_most(
            "texts to unit vectors in the ledger, over the bare onnxruntime loop on the same batches",
            seconds(ours, 3) / loop,
            1.1,
        ),
        at_least(
            "sorted batches, faster than unsorted ones on the handbook",
            seconds(lambda: bare(shuffled), 3) / loop,
            1.3,
        ),
    ]


def searching() -> list[Row]:
    """Exact search against the matrix product of the same shape, its limit."""
    rng = np.random.default_rng(7)
    documents = rng.normal(size=(200_000, 384)).astype(np.float32)
    queries = rng.normal(size=(500, 384)).astype(np.float32)
    dense(queries, documents, 50, {})
    product = seconds(lambda: queries @ documents.T)
    search = seconds(lambda: dense(queries, documents, 50, {}))
    return [
        at_least("exact top 50 of 200,000 x 384, share of the sgemm rate", product / search, 0.7, "of it")
    ]


def running() -> list[Row]:
    """A second `evalkit run` of the handbook, everything encoded already."""
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "evalkit", "run", str(HANDBOOK), "--out", f"{folder}/out")
        environment = {"EVALKIT_CACHE": folder}
        process_seconds(*command, repeats=1, environment=environment)
        again = process_seconds(*command, repeats=3, environment=environment)
    return [at_most("a second `evalkit run datasets/handbook`, whole process", again, 5, "s")]


if __name__ == "__main__":
    publish(
        "local", "Start, embedding, search, second run", [*starting(), *embedding(), *searching(), *running()]
    )
