"""The house of the design, section 2: imports only point down, and pure layers do no input or output."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import evalkit

PACKAGE = Path(evalkit.__file__).parent
LEVELS = [
    {"errors", "words", "documents"},
    {"records"},
    {"registry"},
    {"measures", "stats"},
    {"thresholds", "pipelines"},
    {"report", "data", "transport"},
    {"providers"},
    {"suite"},
    {"runs"},
    {"sandbox", "labelling"},
    {"experiment"},
    {"cli"},
]
# What re-exports the house to its users sees all of it and is no layer.
ENTRANCES = {"__init__", "__main__", "api"}
LEVEL = {name: height for height, names in enumerate(LEVELS) for name in names}
PURE = {"measures", "stats", "thresholds", "pipelines", "report"}
IO_LIBRARIES = {"cohere", "httpx", "urllib", "requests", "socket", "sqlite3", "subprocess", "os", "shutil"}


def modules() -> Iterator[tuple[str, Path]]:
    """Yield each module file with the name of its layer."""
    for path in sorted(PACKAGE.rglob("*.py")):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if part not in ENTRANCES:
            yield part, path


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything that a file imports, wherever the import stands in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    ("layer", "path"), [pytest.param(*m, id=str(m[1].relative_to(PACKAGE))) for m in modules()]
)
def test_imports_point_down(layer: str, path: Path) -> None:
    """A module imports its own layer and lower ones only, and every layer has its place."""
    assert layer in LEVEL, f"{layer} is not in the house: give it a level"
    targets = {name.split(".")[1] for name in imported(path) if name.startswith("evalkit.")}
    upward = sorted(name for name in targets & LEVEL.keys() if name != layer and LEVEL[name] >= LEVEL[layer])

    assert upward == []


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=str(path.relative_to(PACKAGE))) for layer, path in modules() if layer in PURE],
)
def test_pure_layers_import_no_io(path: Path) -> None:
    """The pure layers cannot reach the network, the disk's tools or other processes."""
    assert {name.split(".")[0] for name in imported(path)} & IO_LIBRARIES == set()
