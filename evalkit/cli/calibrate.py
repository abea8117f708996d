"""`evalkit calibrate`: thresholds per category, what they promise, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evalkit.cli.app import app
from evalkit.errors import InputError
from evalkit.words import plural

if TYPE_CHECKING:
    from evalkit.experiment.sources import Source
    from evalkit.thresholds.calibrate import Calibration


@app.command()
def calibrate(
    scores: Annotated[Path, typer.Argument(help="A run directory, or scores as CSV, JSONL or Parquet.")],
    goal: Annotated[
        list[str] | None,
        typer.Option("--goal", help="As in a suite: '{maximise: F1}'; several risks: several times."),
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="category, none, or a column of the table; the suite's, or category.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Where the policy goes.")] = Path("thresholds.json"),
    pipeline: Annotated[str | None, typer.Option(help="Of a run directory; the suite's by default.")] = None,
    model: Annotated[str, typer.Option(help="Of a table: the model, as provider/name.")] = "",
    score_space: Annotated[str, typer.Option(help="Of a table: unit, logit, cosine, bm25, ...")] = "",
    candidates: Annotated[str, typer.Option(help="Of a table: first stage and depth, as bm25@50.")] = "",
    relevant_from: Annotated[int, typer.Option(help="Of a table: the lowest relevant grade.")] = 1,
    split: Annotated[
        Path | None, typer.Option(help="A splits.tsv: choose on one part of the queries, test on the other.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of resampling; the suite's, or 7.")] = None,
    queue: Annotated[
        Path | None, typer.Option(help="Write the documents to judge next, .csv or .jsonl.")
    ] = None,
    queue_size: Annotated[int | None, typer.Option(help="At most so many documents to judge.")] = None,
    rules: Annotated[bool, typer.Option("--rules", help="Compare with relative and top-k cuts.")] = False,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Fit probabilities of relevance, and judge them.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 where a category ends unusable.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print policy and remarks as JSON.")] = False,
) -> None:
    """Choose a threshold per category for a goal, and say what each is worth."""
    from evalkit.cli.goals import parsed_goals
    from evalkit.cli.output import print_json
    from evalkit.cli.policies import refuse_unusable
    from evalkit.experiment.heldout import choose, chosen_on
    from evalkit.experiment.sources import refuse_queue, source, write_queue
    from evalkit.thresholds.goals import Goal

    if queue_size is not None and queue is None:
        raise InputError("--queue-size belongs to --queue: say where the documents to judge go")
    if queue is not None:
        refuse_queue(queue)  # before the policy is written
    table = {"model": model, "score_space": score_space, "candidates": candidates, "by": by}
    found = source(scores, pipeline, split, relevant_from=relevant_from, **table)
    parsed = Goal.parse(parsed_goals(goal) if goal else found.goal)
    made = choose(found, parsed, found.seed if seed is None else seed)
    made.policy.save(out)
    rows = chosen_on(found).to_judge(made.policy, queue_size) if queue is not None else []
    if queue is not None:
        write_queue(queue, rows)
    for finding in made.findings:
        typer.echo(f"{finding.severity}: {finding}", err=True)
    extras = _extras(found, made, rules=rules, probabilities=probabilities)
    if as_json:
        findings = [finding._asdict() for finding in made.findings]
        print_json({"policy": made.policy.to_dict(), "findings": findings, **extras})
    else:
        _show(made, extras)
        typer.echo(
            f"Policy: {out}" + (f"  Queue: {queue} ({plural(len(rows), 'document')})" if queue else "")
        )
    if strict:
        refuse_unusable(made.policy)


def _extras(found: Source, made: Calibration, *, rules: bool, probabilities: bool) -> dict[str, Any]:
    from evalkit.thresholds.goals import Goal
    from evalkit.thresholds.telling import heterogeneity, remarks, statement
    from evalkit.thresholds.tested import sentences

    extras: dict[str, Any] = {
        "statement": statement(made.policy),
        "held_out": list(sentences(made.policy.held_out)),
        "heterogeneity": heterogeneity(made),
        "remarks": list(remarks(made.policy)),
    }
    if rules:
        from evalkit.experiment.heldout import rules as compared

        extras["rules"] = compared(found, Goal.parse(made.policy.goal), made.seed)
    if probabilities:
        from evalkit.experiment.heldout import chosen_on
        from evalkit.thresholds.optimum import Scale
        from evalkit.thresholds.probability import probabilities as fit

        fitted = fit(chosen_on(found).judged, Scale(found.domain.score_space), made.seed)
        extras["probabilities"] = {name: one.to_dict() for name, one in fitted.items()}
    return extras


def _show(made: Calibration, extras: dict[str, Any]) -> None:
    from evalkit.cli.output import plain_console, say
    from evalkit.cli.policies import probability_table, rule_table, show_policy
    from evalkit.thresholds.telling import winner

    console = plain_console()
    show_policy(console, made.policy, extras["heterogeneity"])
    if extras.get("rules"):
        console.print(rule_table(extras["rules"]))
        say(console, winner(extras["rules"]))
    if "probabilities" in extras:
        console.print(probability_table(extras["probabilities"]))
