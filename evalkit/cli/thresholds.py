"""`evalkit thresholds`: read a policy, filter scores with it, move it to another model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evalkit.cli.app import app
from evalkit.words import plural

if TYPE_CHECKING:
    from evalkit.experiment.transfer import MovedPolicy

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
    from evalkit import ThresholdPolicy
    from evalkit.cli.output import plain_console, print_json
    from evalkit.cli.policies import refuse_unusable, show_policy

    read = ThresholdPolicy.load(policy)
    if scale is not None or digits is not None:
        from evalkit.thresholds.export import export

        print_json(export(read, scale or "plain", digits))
    elif as_json:
        print_json(read.to_dict())
    else:
        show_policy(plain_console(), read)
    if strict:
        refuse_unusable(read)


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
    from evalkit import ThresholdPolicy
    from evalkit.cli.output import print_json
    from evalkit.experiment.filtering import filter_table
    from evalkit.report.escape import visible

    told, unknown = filter_table(ThresholdPolicy.load(policy), scores, out, by=by, model=model)
    if unknown:
        names = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        typer.echo(
            visible(f"note: the policy does not know the categories {names}: its default applies to them"),
            err=True,
        )
    if as_json:
        print_json(told)
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
    from evalkit import runs
    from evalkit.cli.goals import parsed_goals
    from evalkit.cli.output import print_json
    from evalkit.cli.plan import show_lines
    from evalkit.cli.policies import refuse_unusable
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
    if as_json:
        print_json(_as_json(done))
    else:
        _tell(done, out)
    if strict:
        refuse_unusable(done.after.policy)


def _tell(done: MovedPolicy, out: Path) -> None:
    from evalkit.cli.output import plain_console, say
    from evalkit.cli.policies import flip_table, show_policy, transfer_table
    from evalkit.thresholds.telling import moved

    console = plain_console()
    show_policy(console, done.after.policy)
    console.print(transfer_table(done.transfer))
    typer.echo(done.measured())
    say(console, *(f"- {line}" for line in moved(done.transfer)))
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
