"""What a billed unit of a pipeline's reranker costs, as the suite or the catalogue says."""

from __future__ import annotations

from evalkit.providers import catalog
from evalkit.providers.settings import CohereSettings
from evalkit.suite import Suite

COHERE = "cohere/"


def prices(suite: Suite) -> dict[str, float]:
    """Return dollars per billed unit of every Cohere reranker in `suite` whose price is known."""
    overrides = CohereSettings.model_validate(suite.providers.get("cohere", {})).catalog
    models = {pipeline.reranker or "" for pipeline in suite.pipelines.values()}
    known = {
        model: catalog.find(model.removeprefix(COHERE), "rerank", overrides).cost(1.0).usd
        for model in models
        if model.startswith(COHERE)
    }
    return {model: usd for model, usd in known.items() if usd is not None}
