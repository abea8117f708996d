"""`suite.yaml` into a frozen `Suite`, with every mistake found at once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from evalkit.data.render import Render
from evalkit.data.yamls import problems, read_model
from evalkit.errors import DataError, Finding, InputError

BM25 = "bm25"
DEFAULT_MEASURES = ("nDCG@10", "RR@10", "R@50", "P@5", "Judged@10")
DEFAULT_GOAL = {"risk": "lost_answer", "at_most": 0.10, "confidence": 0.90, "then": "precision"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fuse(_Strict):
    """Reciprocal rank fusion of other first stages."""

    fuse: tuple[str, ...] = Field(min_length=2)


class FromRun(_Strict):
    """The order that another system returned: a TREC run file, relative to the suite."""

    run: Path


class HttpModel(_Strict):
    """A reranker behind an address that speaks Cohere's request shape."""

    http: str
    model: str


def _shape(value: Any) -> str:
    """Say which of several forms is meant, so that a mistake is told of that one only."""
    if isinstance(value, FromRun) or (isinstance(value, dict) and "run" in value):
        return "(run)"
    return "(mapping)" if isinstance(value, dict | Fuse | HttpModel) else "(name)"


Name = Annotated[str, Tag("(name)")]
Retrieve = Annotated[
    Name | Annotated[Fuse, Tag("(mapping)")] | Annotated[FromRun, Tag("(run)")], Discriminator(_shape)
]
Rerank = Annotated[
    Name | Annotated[HttpModel, Tag("(mapping)")] | Annotated[None, Tag("(none)")],
    Discriminator(lambda value: "(none)" if value is None else _shape(value).replace("(run)", "(mapping)")),
]


class Pipeline(_Strict):
    """A first stage, and what reranks its candidates, if anything does.

    `render` is how this pipeline's models see documents, where that differs from the suite's.
    """

    retrieve: Retrieve
    rerank: Rerank = None
    render: Render | None = None

    @property
    def first_stage(self) -> str:
        """Read as `local/minilm-l6`, `fuse(bm25, local/minilm-l6)` or `run(first-stage.trec)`."""
        if isinstance(self.retrieve, Fuse):
            return f"fuse({', '.join(self.retrieve.fuse)})"
        if isinstance(self.retrieve, FromRun):
            return f"run({self.retrieve.run.name})"
        return self.retrieve

    @property
    def reranker(self) -> str | None:
        """The reranking model's name, or None."""
        return f"http/{self.rerank.model}" if isinstance(self.rerank, HttpModel) else self.rerank


class Thresholds(_Strict):
    """What the recommended thresholds are to promise, and for which pipeline `thresholds.json` is written."""

    by: Literal["category", "none"] = "category"
    goal: dict[str, Any] | list[dict[str, Any]] = Field(default_factory=lambda: dict(DEFAULT_GOAL))
    pipeline: str | None = None
    split: Literal["calibration"] | None = Field(
        default=None, description="choose on this part of the data set's splits.tsv, test on the other"
    )


class Gate(_Strict):
    """What `evalkit gate` holds a run to; `margin` is the loss that would not matter.

    An empty `measure` is the suite's first one, empty `pipelines` the one that thresholds are for.
    `at_least` is how many queries a comparison takes; `cannot_tell` says whether undecided checks pass.
    """

    measure: str = ""
    per: Literal["overall", "category"] = "overall"
    margin: PositiveFloat | None = None
    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    at_least: PositiveInt = 20
    cannot_tell: Literal["warn", "fail"] = "warn"
    pipelines: tuple[str, ...] = ()
    promise: bool = True  # whether the baseline's certified thresholds must stand on the new scores
    usd_per_1000: NonNegativeFloat | None = None
    units_per_1000: NonNegativeFloat | None = None


class Suite(_Strict):
    """What `evalkit run` does, in the file's own terms; `folder` is where relative paths start."""

    name: str = Field(pattern=r"^[\w.+ -]+$")
    dataset: Path
    seed: int = 7
    depth: PositiveInt = 50
    render: Render | None = None
    pipelines: dict[str, Pipeline] = Field(min_length=1)
    baseline: str = ""
    measures: tuple[str, ...] = Field(default=DEFAULT_MEASURES, min_length=1)
    margins: dict[str, PositiveFloat] = Field(default_factory=dict)  # differences that would not matter
    thresholds: Thresholds = Field(default_factory=Thresholds)
    providers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    gate: Gate | None = None
    folder: Path = Field(default=Path(), exclude=True)

    @field_validator("pipelines")
    @classmethod
    def _names_are_file_names(cls, pipelines: dict[str, Pipeline]) -> dict[str, Pipeline]:
        odd = [name for name in pipelines if not name or set(name) & set('/\\:*?"<>|') or name[0] == "."]
        if odd:
            raise ValueError(f"pipeline names become file names: rename {', '.join(map(repr, odd))}")
        return pipelines

    @model_validator(mode="after")
    def _names_exist(self) -> Suite:
        for key, name in (("baseline", self.baseline), ("thresholds.pipeline", self.thresholds.pipeline)):
            if name and name not in self.pipelines:
                raise ValueError(f"`{key}` is {name!r}, but the pipelines are {', '.join(self.pipelines)}")
        return self

    @model_validator(mode="after")
    def _gate_is_whole(self) -> Suite:
        if self.gate is None:
            return self
        measure = self.gate_measure
        if measure not in self.measures:
            raise ValueError(f"`gate.measure` is {measure!r}, but measured are {', '.join(self.measures)}")
        if self.gate_margin is None:
            raise ValueError(f"`gate` needs a margin: the loss of {measure} that would not matter")
        for name in self.gate.pipelines:
            if name not in self.pipelines:
                raise ValueError(
                    f"`gate.pipelines` names {name!r}, but the pipelines are {', '.join(self.pipelines)}"
                )
        return self

    @property
    def gate_measure(self) -> str:
        """The measure that the gate compares on."""
        return (self.gate.measure if self.gate else "") or self.measures[0]

    @property
    def gate_margin(self) -> float | None:
        """The gate's margin: its own, or the one declared for its measure."""
        own = self.gate.margin if self.gate else None
        return own or self.margins.get(self.gate_measure)

    @property
    def baseline_name(self) -> str:
        """The pipeline that the others are compared with: the declared one, or the first."""
        return self.baseline or next(iter(self.pipelines))

    @property
    def threshold_pipeline(self) -> str:
        """The pipeline whose policy is `thresholds.json`: the declared one, or the first that reranks."""
        reranking = [name for name, pipeline in self.pipelines.items() if pipeline.rerank]
        return self.thresholds.pipeline or next(iter(reranking or self.pipelines))

    @property
    def canonical(self) -> dict[str, Any]:
        """The suite as plain data, defaults filled in: equal for suites that mean the same."""
        return self.model_dump(mode="json")

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return hashlib.sha256(json.dumps(self.canonical, sort_keys=True).encode()).hexdigest()


def load(path: str | Path) -> Suite:
    """Read a suite; a folder means its `suite.yaml`.

    Raises:
        DataError: the file is missing or wrong; all findings at once, each with its line.
    """
    path = Path(path)
    path = path / "suite.yaml" if path.is_dir() else path
    findings: list[Finding] = []
    suite = read_model(path, Suite, findings)
    if suite is None:
        raise DataError(findings)
    return suite.model_copy(update={"folder": path.parent})


def recorded(given: Any, run: Path) -> Suite:
    """Return the suite that the `run.json` in the folder `run` holds.

    Raises:
        InputError: another evalkit wrote it, in terms that this one does not know.
    """
    try:
        return Suite.model_validate(given)
    except ValidationError as error:
        raise InputError(
            f"{run}: its suite cannot be read ({problems(error)}). Run the suite again"
        ) from error
