"""`evalkit import`: other people's formats to a data set folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from evalkit.cli.app import app
from evalkit.words import plural

if TYPE_CHECKING:
    from evalkit.data.agreement import Agreement
    from evalkit.data.importers.options import Options

LABELS = "labels"
Several = Literal["majority", "mean", "max", "first", "last"]


@app.command("import")
def bring(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help="The source's format, such as trec or csv.")],
    source: Annotated[str, typer.Argument(help="A file, a folder, or the name of a public collection.")],
    dest: Annotated[Path, typer.Argument(help="The new folder; for labels, the data set they belong to.")],
    corpus: Annotated[Path | None, typer.Option(help="The documents: a table with id and text.")] = None,
    queries: Annotated[Path | None, typer.Option(help="The queries: a table with id and text.")] = None,
    qrels: Annotated[Path | None, typer.Option(help="The judgments, where their name is unusual.")] = None,
    split: Annotated[str, typer.Option(help="Which split's judgments to read.")] = "test",
    map_: Annotated[list[str] | None, typer.Option("--map", help="OURS=COLUMN, such as grade=esci.")] = None,
    grade: Annotated[list[str] | None, typer.Option(help="WORD=NUMBER or WORD=skip.")] = None,
    gain: Annotated[list[str] | None, typer.Option(help="GRADE=WORTH to nDCG, such as 3=100.")] = None,
    bins: Annotated[str | None, typer.Option(help="Bounds that make grades of numbers: 0.05,0.2")] = None,
    scale: Annotated[str | None, typer.Option(help="Least and greatest grade: 0:3")] = None,
    relevant_from: Annotated[int, typer.Option(help="The lowest grade that counts as relevant.")] = 1,
    several: Annotated[Several | None, typer.Option(help="What several grades of a pair come to.")] = None,
    twice: Annotated[
        Literal["first", "last"] | None, typer.Option(help="Which of two equal ids stays.")
    ] = None,
    alike: Annotated[
        Literal["keep", "merge"] | None, typer.Option(help="Ids that differ in case only.")
    ] = None,
    outside: Annotated[Literal["drop", "clip"] | None, typer.Option(help="Grades beyond the scale.")] = None,
    categories: Annotated[
        Literal["first", "join"] | None, typer.Option(help="Queries of several categories.")
    ] = None,
    drop_unknown: Annotated[bool, typer.Option(help="Leave out ratings of unknown ids.")] = False,
    rater: Annotated[str, typer.Option(help="For labels: whose they are, where they do not say.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the books of the import as JSON.")] = False,
) -> None:
    """Import a data set; whatever contradicts itself is counted, and settled by an option or refused."""
    from evalkit.cli.output import print_json
    from evalkit.cli.progress import reading
    from evalkit.data.importers import options as given
    from evalkit.data.importers.bring import bring as bring_in
    from evalkit.report.escape import visible

    decided = given.Options(
        corpus=corpus,
        queries=queries,
        qrels=qrels,
        split=split,
        columns=given.pairs(map_ or (), "--map"),
        grades=given.grades(grade or ()),
        gains=given.gains(gain or ()),
        bins=given.bins(bins),
        scale=given.scale(scale),
        relevant_from=relevant_from,
        several=several,
        twice=twice,
        alike=alike,
        outside=outside,
        categories=categories,
        drop_unknown=drop_unknown,
    )
    if form == LABELS:
        _labels(source, dest, rater, decided, as_json)
        return
    with reading("importing (MiB)", Path(source), corpus, queries, qrels):
        done = bring_in(form, source, dest, decided)
    if as_json:
        print_json(done.to_dict())
        return
    for finding in done.findings:
        typer.echo(visible(f"{finding.severity}: {finding}"), err=True)
    for kind, account in done.accounts.items():
        typer.echo(f"{kind}: {account}")
    _agreement(done.agreement)
    typer.echo(f"Data set: {done.folder}. Look at it with `evalkit check {done.folder}`")


def _labels(source: str, dest: Path, rater: str, options: Options, as_json: bool) -> None:
    """Merge labels into the data set `dest` and print what came of them."""
    import getpass

    from evalkit.cli.output import print_json
    from evalkit.data.labels import merge
    from evalkit.report.escape import visible

    done = merge(source, dest, rater or getpass.getuser(), options)
    if as_json:
        print_json(done.to_dict())
        return
    for finding in done.findings:
        typer.echo(visible(f"{finding.severity}: {finding}"), err=True)
    typer.echo(
        f"judgments and labels: {done.account}; {plural(done.new, 'judgment is', 'judgments are')} new"
    )
    _agreement(done.agreement)


def _agreement(found: Agreement | None) -> None:
    if found is None:
        return
    typer.echo(str(found))
    for one in found.kappas:
        typer.echo(
            f"  {one.first}, {one.second}: kappa {one.kappa:.3f}, weighted {one.weighted:.3f}, n {one.n}"
        )
