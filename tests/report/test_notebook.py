"""An opened run in a notebook: tables and plots in one line each, and what a cell shows."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest
from pytest import TempPathFactory

import evalkit
from evalkit.errors import UnknownName
from evalkit.report.plots import every
from evalkit.report.tables import TABLES
from evalkit.runs import RunDirectory
from evalkit.thresholds.telling import statement
from tests.conftest import Cli
from tests.report.hostile import HOSTILE
from tests.report.small import small_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: TempPathFactory) -> RunDirectory:
    """A tiny run with hostile texts, opened as a user opens it."""
    return evalkit.open(small_run(tmp_path_factory.mktemp("run"), hostile=True).folder)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_is_a_frame(run: RunDirectory, name: str) -> None:
    """Every table of the report comes as a DataFrame, with the rows of its CSV file."""
    frame = run.table(name)
    lines = (run.folder / "tables" / f"{name}.csv").read_text("utf-8").strip()

    assert len(frame) > 0
    assert list(frame.columns) == lines.splitlines()[0].split(",")


def test_every_plot_that_a_run_has_is_a_figure(run: RunDirectory) -> None:
    """A plot is drawn for the recommended pipeline or the one named; some have nothing to show."""
    figures = {name: run.plot(name, pipeline) for name, pipeline in every(run.view)}

    assert {name for name, figure in figures.items() if figure is None} <= {"cost", "latency"}
    assert run.plot("scores") is not None


@pytest.mark.parametrize("arguments", [("scoers",), ("scores", "nobody")])
def test_an_unknown_plot_or_pipeline_is_told(run: RunDirectory, arguments: tuple[str, ...]) -> None:
    """A name with a mistake is an error that lists what there is."""
    with pytest.raises(UnknownName, match=r"scores|words, best"):
        run.plot(*arguments)


def test_a_policy_is_a_table_in_a_cell(run: RunDirectory) -> None:
    """What was asked for and a row a category, with the figures of the policy; hostile names are text."""
    policy = run.policies["best"]
    shown = policy._repr_html_()

    assert shown.count("<tr>") == 2 + len(policy.categories)
    assert f"<td>{policy.default.threshold:.4f}</td><td>{policy.default.status}</td>" in shown
    assert statement(policy) in unescape(shown)
    assert HOSTILE[1] in unescape(shown)
    assert "<script" not in shown
    assert "<img" not in shown


def test_a_cell_shows_the_first_screen_and_no_markup_of_the_data(run: RunDirectory) -> None:
    """The verdict and the tables are in the HTML that a notebook shows; texts are escaped in it."""
    shown = run._repr_html_()

    assert "best beats words" in shown
    assert shown.count("<table") == 3  # pipelines, thresholds, cut rules
    assert "<script" not in shown
    assert HOSTILE[1] not in shown


def test_a_query_that_is_asked_for_is_rendered_first(cli: Cli, run: RunDirectory) -> None:
    """`evalkit report --query ID` takes the ids of judged queries and refuses others."""
    told = cli("report", run.folder, "--query", "q05", "--latex")
    refused = cli("report", run.folder, "--query", "q99")

    assert told.code == 0, told
    assert Path(told.out.strip()) == run.folder / "report.html"
    assert (run.folder / "tables" / "pipelines.tex").is_file()
    assert refused.code == 2
    assert "q99" in refused.err
