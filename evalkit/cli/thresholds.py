"""`evalkit thresholds`: read a policy, filter scores with it, move it to another model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evalkit.cli.app import app
from evalkit.errors import ConditionFailed
from evalkit.words import plural

if TYPE_CHECKING:
    from evalkit.experiment.transfer import MovedPolicy
    from evalkit.thresholds.policy import ThresholdPolicy

thresholds = typer.Typer(
    help="Read, apply and move threshold policies.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(thresholds, name="thresholds")

Policy = Annotated[Path, typer.Argument(help="A thresholds.json.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 where a category is unusable.")]
SHOWN = 10  # flips printed


@thresholds.command()
def show(
    policy: Policy,
    scale: Annotated[
        str | None, typer.Option(help="Print thresholds for another place: plain, elasticsearch, logit.")
    ] = None,
    digits: Annotated[
        int | None, typer.Option(min=0, help="Round to the safe side; implies --scale plain.")
    ] = None,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Show a policy, or export its thresholds as another system takes them."""
    import json

    from evalkit import ThresholdPolicy

    read = ThresholdPolicy.load(policy)
    if scale is not None or digits is not None:
        from evalkit.thresholds.export import export

        typer.echo(json.dumps(export(read, scale or "plain", digits), indent=1, ensure_ascii=False))
    elif as_json:
        typer.echo(json.dumps(read.to_dict(), indent=1, ensure_ascii=False))
    else:
        _show(read)
    _refuse_unusable(read.unusable() if strict else ())


@thresholds.command()
def apply(
    policy: Policy,
    scores: Annotated[Path, typer.Argument(help="Scores as CSV, TSV, JSONL or Parquet; no grades needed.")],
    out: Annotated[Path, typer.Option("--out", help="Where the kept rows go, in the same format.")],
    by: Annotated[str, typer.Option(help="The column that holds the category.")] = "category",
    model: Annotated[
        str | None, typer.Option(help="The model that made the scores; another than the policy's is refused.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Filter a table of scores with a policy."""
    import json

    from evalkit import ThresholdPolicy
    from evalkit.experiment.filtering import filter_table, unknown_categories
    from evalkit.report.escape import visible

    loaded = ThresholdPolicy.load(policy)
    told = filter_table(loaded, scores, out, by=by, model=model)
    if loaded.categories and (unknown := unknown_categories(loaded, scores, by)):
        names = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        typer.echo(
            visible(f"note: the policy does not know the categories {names}: its default applies to them"),
            err=True,
        )
    if as_json:
        typer.echo(json.dumps(told, indent=1))
    else:
        typer.echo(
            f"{told['kept']} of {plural(told['rows'], 'document')} kept, "
            f"{told['empty']} of {plural(told['queries'], 'query')} "
            f"left without any: {out}"
        )


@thresholds.command()
def transfer(
    run_dir: Annotated[Path, typer.Argument(help="The run directory with the labelled pairs.")],
    old: Annotated[str, typer.Option("--from", help="The reranker that scored them.")],
    new: Annotated[str, typer.Option("--to", help="The reranker to move to.")],
    goal: Annotated[list[str] | None, typer.Option("--goal", help="The suite's by default.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Where the new policy goes.")] = Path("thresholds.json"),
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be sent, send nothing.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Use the ledger alone.")] = False,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Send Cohere's calls to the sandbox.")] = False,
    max_units: Annotated[float | None, typer.Option(help="Stop before more billed units than this.")] = None,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Score the same pairs with another model, calibrate anew, and show what changes."""
    import json

    from evalkit import runs
    from evalkit.cli.goals import parsed_goals
    from evalkit.cli.plan import show_lines
    from evalkit.cli.progress import watching
    from evalkit.experiment import transfer as moving

    what = moving.move(runs.read(run_dir), old, new)
    if plan:
        show_lines([moving.plan(what, sandbox=sandbox)])
        return
    with watching() as watch:
        done = moving.perform(
            what,
            parsed_goals(goal) if goal else None,
            sandbox=sandbox,
            offline=offline,
            max_units=max_units,
            watch=watch,
        )
    done.after.policy.save(out)
    typer.echo(json.dumps(_as_json(done), indent=1, ensure_ascii=False)) if as_json else _tell(done, out)
    _refuse_unusable(done.after.policy.unusable() if strict else ())


def _show(policy: ThresholdPolicy) -> None:
    from rich.console import Console

    from evalkit.cli.policies import policy_table
    from evalkit.cli.tables import wrapped
    from evalkit.thresholds.telling import remarks, statement
    from evalkit.thresholds.tested import told

    console = Console(highlight=False, markup=False)
    for line in (statement(policy), *told(policy.held_out)):
        console.print(wrapped(line, console.width))
    console.print()
    console.print(policy_table(policy))
    for line in remarks(policy):
        console.print(wrapped(f"- {line}", console.width))


def _tell(done: MovedPolicy, out: Path) -> None:
    from rich.console import Console

    from evalkit.cli.policies import flip_table, transfer_table
    from evalkit.cli.tables import wrapped
    from evalkit.thresholds.telling import moved

    _show(done.after.policy)
    console = Console(highlight=False, markup=False)
    console.print(transfer_table(done.transfer))
    typer.echo(done.measured())
    for line in moved(done.transfer):
        console.print(wrapped(f"- {line}", console.width))
    flips = done.flips()
    if flips:
        console.print(flip_table(flips[:SHOWN], len(flips)))
    if done.failed:
        typer.echo(
            f"warning: {plural(len(done.failed), 'query')} got no scores: run it again to resume",
            err=True,
        )
    typer.echo(f"Policy: {out}")


def _as_json(done: MovedPolicy) -> dict[str, object]:
    from dataclasses import asdict

    categories = {name: asdict(one) for name, one in done.transfer.categories.items()}
    policy = done.after.policy.to_dict()
    return {
        "policy": policy,
        "measured": done.measured(),
        "categories": categories,
        "flips": done.flips(),
        "failed": list(done.failed),
    }


def _refuse_unusable(names: tuple[str, ...]) -> None:
    if names:
        raise ConditionFailed(f"no usable threshold for {', '.join(names)}")
