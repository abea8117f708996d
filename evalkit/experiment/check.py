"""What `evalkit check` finds: every mistake in a data set, a suite or a thresholds file, and its physical."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from evalkit import suite as suites
from evalkit.data import beir, splits
from evalkit.data.card import Card
from evalkit.data.physical import NO_CATEGORY, Category, Physical, counts, examine, lines
from evalkit.data.render import Render
from evalkit.data.survey import survey
from evalkit.errors import DataError, Finding, InputError
from evalkit.experiment.findings import suite_findings
from evalkit.providers import catalog, minilm
from evalkit.records import Dataset
from evalkit.suite import Suite
from evalkit.thresholds import needs
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.policy import ThresholdPolicy
from evalkit.words import plural

LOCAL = "local/minilm-l6"
SHOWN = 10  # leaks told one by one
ROOM = 0.97  # of a model's context is the document's, as the query and marks take some


@dataclass(frozen=True)
class Checked:
    """The findings of one check, what was told in plain lines, and the data set's physical."""

    findings: tuple[Finding, ...]
    told: tuple[str, ...]
    physical: Physical | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "findings": [finding._asdict() for finding in self.findings],
            "told": list(self.told),
            "physical": None if self.physical is None else self.physical.to_dict(),
        }


def check(path: str | Path) -> Checked:
    """Check the data set folder, suite or thresholds file at `path`.

    Raises:
        InputError: there is nothing at `path`, or nothing that can be checked.
    """
    path = Path(path)
    if path.suffix in (".yaml", ".yml") and path.name != "dataset.yaml":
        return _suite(path)
    if path.suffix == ".json":
        return _policy(path)
    folder = path.parent if path.name == "dataset.yaml" else path
    if not folder.is_dir():
        raise InputError(
            f"{path}: nothing to check. Name a data set's folder, a suite.yaml or a thresholds.json"
        )
    return (
        _suite(folder / "suite.yaml", folder) if (folder / "suite.yaml").is_file() else _dataset(folder, None)
    )


def limits(suite: Suite | None) -> dict[str, int]:
    """Return how many tokens of a document each model reads: the suite's models, or all that are known."""
    known = {name: model.context for name, model in catalog.shipped().items() if model.does == "rerank"}
    if suite is not None:
        asked = {
            name
            for pipeline in suite.pipelines.values()
            for name in (pipeline.first_stage, pipeline.reranker)
        }
        wanted = {(name or "").removeprefix("cohere/") for name in asked}
        known = {name: context for name, context in known.items() if name in wanted}
        local = any((name or "").startswith("local/") for name in asked)
    else:
        local = True
    cut = catalog.DEFAULT_MAX_TOKENS_PER_DOC
    found = {name: min(int(context * ROOM), cut) for name, context in known.items() if context}
    return ({LOCAL: minilm.MAX_TOKENS} if local else {}) | found


def _suite(path: Path, folder: Path | None = None) -> Checked:
    try:
        suite = suites.load(path)
    except DataError as error:
        found = Checked((), ()) if folder is None else _dataset(folder, None)
        return Checked(error.findings + found.findings, found.told, found.physical)
    findings = list(suite_findings(suite, path))
    told = (f"{suite.name}: {plural(len(suite.pipelines), 'pipeline')}, baseline {suite.baseline_name}",)
    checked = _dataset(suite.folder / suite.dataset, suite, None if findings else path)
    return Checked(tuple(findings) + checked.findings, told + checked.told, checked.physical)


def _dataset(folder: Path, suite: Suite | None, path: Path | None = None) -> Checked:
    """Check a data set for `suite`; with the suite's path, also whether it can carry the suite's goal."""
    with beir.reading(folder) as reading:
        render, tried = _rendering(folder, suite, reading.card)
        seen = survey(reading.corpus, render)
        dataset, findings = reading.result()
    if dataset is None or not dataset.corpus or not dataset.queries:
        return Checked(tuple(findings), ())
    findings += tried
    found = examine(dataset, seen, limits(suite))
    findings += warnings(folder, found, dataset.grades)
    if suite is not None and path is not None:
        findings += _promised(path, suite, folder, dataset, found)
    return Checked(tuple(findings), tuple(lines(dataset.name, found)), found)


def _rendering(folder: Path, suite: Suite | None, card: Card) -> tuple[Render, list[Finding]]:
    """Return the suite's rendering, else the one that the data set declares, with what is wrong with that."""
    if suite is not None and suite.render is not None:
        return suite.render, []
    declared = partial(Render.model_validate, dict(card.render))
    tried = _tried(folder / "dataset.yaml", "render", declared)
    return Render() if tried else declared(), tried


def warnings(folder: Path, found: Physical, meanings: Mapping[int, str]) -> Iterator[Finding]:
    """Yield what will spoil an evaluation though every line is right."""
    if found.undeclared_grades:
        grades = ", ".join(map(str, found.undeclared_grades))
        declared = ", ".join(map(str, sorted(meanings)))
        what = f"judgments have the grades {grades}, dataset.yaml declares {declared}"
        yield _warning(folder / "qrels" / "test.tsv", what, "Declare what they mean, or correct them")
    if len(found.grades) == 1:
        what = f"every judgment is {next(iter(found.grades))}: nothing was judged the other way"
        yield _warning(
            folder / "qrels" / "test.tsv", what, "Judge what the first stage finds: `evalkit pool`"
        )
    if found.whole.queries > found.whole.unjudged and not found.whole.answerable:
        what = "no query has a relevant document"
        yield _warning(folder / "qrels" / "test.tsv", what, "Look at `relevant_from` in dataset.yaml")
    for query, document in found.leaks[:SHOWN]:
        what = f"query {query!r} stands word for word in document {document!r}"
        yield _warning(folder / "queries.jsonl", what, "Ask as users ask, or search is only for the sentence")
    if len(found.leaks) > SHOWN:
        what = f"{len(found.leaks) - SHOWN} more queries stand word for word in a document"
        yield _warning(folder / "queries.jsonl", what, "Ask as users ask")


def _promised(path: Path, suite: Suite, folder: Path, dataset: Dataset, found: Physical) -> Iterator[Finding]:
    """Yield why the suite's goal is out of reach: the split that it asks for, or too few queries."""
    whole, categories, where = found.whole, found.categories, ""
    if suite.thresholds.split:
        try:
            parts = splits.load(folder, dataset.queries)
        except DataError as error:
            yield from error.findings
            return
        chosen = {name for name, part in parts.items() if part == splits.CALIBRATION}
        whole, categories = counts(dataset, chosen)
        where = " in the calibration part"
    yield from _too_small(path, suite, whole, categories, where)


def _too_small(
    path: Path, suite: Suite, whole: Category, categories: Mapping[str, Category], where: str
) -> Iterator[Finding]:
    """Yield the categories that cannot certify the suite's goal, whatever the scores will be."""
    goal = Goal.parse(suite.thresholds.goal)
    by = suite.thresholds.by != "none"
    named = {name: one for name, one in categories.items() if name != NO_CATEGORY} if by else {}
    least = needs.least(goal, max(1, len(named)))
    together = goal.family == "joint" and len(named) > 1
    for name, one in (named or {"all": whole}).items():
        for risk in goal.risks:
            population, needed = risk.loss.population, least.get(risk.loss.name, 0)
            has = {"answerable": one.answerable, "negative": one.negative}.get(
                population, one.answerable + one.negative
            )
            if has < needed:
                kind = "judged" if population == "all" else population
                promise = f"{risk.loss.name} <= {risk.at_most:g}"
                promise += f" at {goal.confidence:.0%}" if goal.confidence else ""
                promise += f", for {len(named)} categories together," if together else ""
                what = (
                    f"{promise} needs {needed} or more {kind} queries per category; `{name}` has {has}{where}"
                )
                yield _warning(
                    path, what, f"Label {needed - has} more, join it with another, or ask for less"
                )


def _warning(path: Path, what: str, remedy: str) -> Finding:
    return Finding(str(path), None, what, remedy, severity="warning")


def _policy(path: Path) -> Checked:
    found = _tried(path, "", lambda: ThresholdPolicy.load(path))
    return Checked(tuple(found), () if found else (f"{path}: a valid thresholds file",))


def _tried(path: Path, place: str, read: Callable[[], object]) -> list[Finding]:
    try:
        read()
    except (InputError, ValueError) as error:
        told = str(error).split("\n")[-1 if isinstance(error, ValueError) else 0]
        return [Finding(str(path), None, f"`{place}`: {told}" if place else str(error), "Correct the value")]
    return []
