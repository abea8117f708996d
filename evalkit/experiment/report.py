"""A run directory's report: rendered from the directory alone, whose data it never changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalkit import __version__
from evalkit.data.files import write_file
from evalkit.report import charts, tables
from evalkit.report import render as pages
from evalkit.report.render import Charts
from evalkit.runs import RunDirectory

HTML, MARKDOWN, LATEX = "report.html", "report.md", "tables/pipelines.tex"


def render(run: RunDirectory, *, first: Sequence[str] = (), latex: bool = False) -> Path:
    """Write report.html, report.md, plots/ and tables/ into the run's folder and return the page's path.

    `first` names queries whose documents are in the page whatever else is; `latex` adds
    tables/pipelines.tex.

    Raises:
        UnknownName: the run has no query of that id.
    """
    view = run.view
    if first:
        view = view.with_first(first)
    sections = pages.shown(view)
    draw = Charts(view)
    with charts.styled():  # once for all
        page = pages.html(view, sections, draw, __version__)
        draw.rest()
        plots = {f"plots/{stem}.png": charts.to_png(drawn.figure) for stem, (drawn, _) in draw.files.items()}
    files = {
        HTML: page.encode("utf-8", "replace"),
        MARKDOWN: pages.markdown(sections).encode("utf-8", "replace"),
    } | plots
    files |= {f"plots/{stem}.svg": svg.encode("utf-8", "replace") for stem, (_, svg) in draw.files.items()}
    for name in tables.TABLES:
        files[f"tables/{name}.csv"] = tables.to_csv(tables.TABLES[name](view))
    if latex:
        files[LATEX] = tables.to_latex(view).encode("utf-8", "replace")
    for name, content in files.items():
        write_file(run.folder / name, content)
    return run.folder / HTML
