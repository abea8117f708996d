"""What a gate prints: names from data stay names."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from evalkit.report.gate import Check, Found, junit, lines, summary, workflow_commands

HOSTILE = "\x00<b>:::error::x, ##[group] | 100%\n::stop-commands::y\ud800"
FOUND = Found("new", "old", (Check("measure", HOSTILE, "worse", HOSTILE),))


def test_the_terminal_shows_no_command_of_a_ci_system() -> None:
    """Neither two colons nor a group marker is left in a line, wherever it is wrapped."""
    told = "\n".join(lines(FOUND))

    assert "::" not in told
    assert "##[" not in told


def test_a_workflow_command_is_one_line() -> None:
    """Line ends and percent signs are escaped, so that no second command begins."""
    told = list(workflow_commands(FOUND))

    assert len(told) == 1
    assert "\n" not in told[0]
    assert "100%25%0A" in told[0]


def test_junit_is_xml_whatever_the_names_are() -> None:
    """NUL and half a surrogate pair, which XML cannot hold, are written out."""
    case = ET.fromstring(junit(FOUND)).find("testsuite/testcase")

    assert case is not None
    assert case.attrib["name"].startswith("␀<b>")


def test_the_summary_keeps_its_table() -> None:
    """A pipe in a name is no cell, HTML is no HTML."""
    row = summary(FOUND).splitlines()[-1]

    assert row.replace("\\|", "").count("|") == 4
    assert "<b>" not in row
