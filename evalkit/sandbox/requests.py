"""What the API accepts: its checks, in its words, so that a request that passes here passes there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RERANK_FIELDS = {"model", "query", "documents", "top_n", "max_tokens_per_doc", "priority", "relevant_spans"}
EMBED_FIELDS = {
    "model",
    "input_type",
    "texts",
    "images",
    "inputs",
    "max_tokens",
    "output_dimension",
    "embedding_types",
    "truncate",
    "priority",
}
INPUT_TYPES = {"search_document", "search_query", "classification", "clustering", "image"}
TEXTS_A_CALL = 96
CHUNKS_A_CALL = 10_000
RERANKERS = {
    "rerank-v3.5",
    "rerank-english-v3.0",
    "rerank-multilingual-v3.0",
    "rerank-v4.0-pro",
    "rerank-v4.0-fast",
    "rerank-v5.0-pro",
    "rerank-v5.0-fast",
}
DIMENSIONS = {
    "embed-v4.0": (256, 512, 1024, 1536),
    "embed-v5.0-pro": (256, 512, 768, 1024, 1536, 2048),
    "embed-v5.0-fast": (256, 512, 768, 1024, 1536, 2048),
    "embed-english-v3.0": (1024,),
    "embed-multilingual-v3.0": (1024,),
}
DEFAULT_DIMENSION = {"embed-v4.0": 1536, "embed-v5.0-pro": 2048, "embed-v5.0-fast": 2048}


class Rejected(Exception):
    """The API answers with an error status and this message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def check_rerank(body: Any) -> None:
    """Check the body of a rerank request.

    Raises:
        Rejected: as Cohere would reject it.
    """
    body = _object(body, RERANK_FIELDS)
    _model(body, RERANKERS)
    query, documents = body.get("query"), body.get("documents")
    if not isinstance(query, str) or not query.strip():
        raise Rejected(400, "invalid request: query must not be empty or be only whitespace")
    if not isinstance(documents, list) or not documents:
        raise Rejected(400, "invalid request: list of documents must not be empty")
    for number, document in enumerate(documents):
        if not isinstance(document, str):
            raise Rejected(422, f"invalid type: parameter 'documents[{number}]' must be a string")
        if not document.strip():
            raise Rejected(400, f"invalid request: document at index {number} cannot be empty")
    if len(documents) > CHUNKS_A_CALL:
        raise Rejected(
            400,
            "invalid request: number of total max chunks (number of documents * max chunks per doc) "
            "must be less than 10000",
        )
    for name in ("top_n", "max_tokens_per_doc"):
        value = body.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise Rejected(400, f"invalid request: {name} must be at least 1")


def check_embed(body: Any) -> None:
    """Check the body of an embed request; only texts are embedded here.

    Raises:
        Rejected: as Cohere would reject it.
    """
    body = _object(body, EMBED_FIELDS)
    model = _model(body, DIMENSIONS)
    texts = body.get("texts")
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise Rejected(
            400, "invalid request: texts must be a list of strings (the sandbox embeds texts only)"
        )
    if len(texts) > TEXTS_A_CALL:
        raise Rejected(
            400, f"invalid request: total number of texts must be at most 96 - received {len(texts)}"
        )
    input_type = body.get("input_type")
    if not isinstance(input_type, str) or input_type not in INPUT_TYPES:
        raise Rejected(400, "invalid request: valid input_type must be provided")
    if body.get("embedding_types") not in (None, ["float"]):
        raise Rejected(400, "invalid request: the sandbox returns float embeddings only")
    dimension = body.get("output_dimension")
    if dimension is not None and dimension not in DIMENSIONS[model]:
        raise Rejected(400, f"invalid request: output_dimension must be one of {list(DIMENSIONS[model])}")


def dimension(body: Mapping[str, Any]) -> int:
    """Return the length of the embeddings that a checked request asks for."""
    return body.get("output_dimension") or DEFAULT_DIMENSION.get(body["model"], DIMENSIONS[body["model"]][0])


def _object(body: Any, fields: set[str]) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Rejected(400, "invalid request: the body must be a JSON object")
    unknown = sorted(body.keys() - fields)
    if unknown:
        raise Rejected(422, f"unknown field: parameter '{unknown[0]}' is not a valid field")
    return body


def _model(body: Mapping[str, Any], known: Any) -> str:
    model = body.get("model")
    if not isinstance(model, str) or model not in known:
        raise Rejected(
            404,
            f"model '{model}' not found, make sure the correct model ID was used and that you have access to "
            "the model.",
        )
    return model
