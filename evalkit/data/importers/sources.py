"""Finding and reading what importers read: files of a folder, whole JSON files and their parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from evalkit.data.files import content, refusal
from evalkit.data.halves import finding, whole
from evalkit.data.importers.sink import Sink
from evalkit.data.lines import UTF8_MARK
from evalkit.errors import DataError, Finding, InputError

MAX_JSON = 1 << 30


def form(path: Path) -> str:
    """Return a file's kind by its name: `.csv` for `labels.csv.gz` too."""
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def only_file(path: Path, folder: Path | None = None) -> Path:
    """Return `path` where it can be read.

    Raises:
        DataError: it is missing, no regular file, or a link that leaves `folder`.
    """
    if refused := refusal(path, folder):
        raise DataError([refused._replace(remedy="Check the path")])
    return path


def find(folder: Path, *patterns: str) -> list[Path]:
    """Return the files in `folder` that match the first pattern which matches any, by name."""
    for pattern in patterns:
        found = sorted(path for path in folder.glob(pattern) if path.is_file())
        if found:
            return [only_file(path, folder) for path in found]
    return []


def files_of(source: str, *patterns: str) -> list[Path]:
    """Return the file `source`, or the files in the folder `source` that match one of `patterns`.

    Raises:
        InputError: there are none.
    """
    path = Path(source)
    if not path.is_dir():
        return [only_file(path)]
    found = [file for pattern in patterns for file in find(path, pattern)]
    if not found:
        raise InputError(f"{source}: this folder has no file like {' or '.join(patterns)}")
    return list(dict.fromkeys(found))


def json_of(sink: Sink, path: Path) -> Any:
    """Return what a JSON file holds, None with a finding where it holds no JSON."""
    if path.stat().st_size > MAX_JSON:
        sink.books.note(
            Finding(str(path), None, "more than 1 GiB of JSON in one value", "Write it as JSON lines")
        )
        return None
    data, replaced = whole(content(path, sink.books.note).removeprefix(UTF8_MARK))
    if replaced:
        sink.books.note(finding(path, replaced, ()))
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        line = _line_of(data, error)
        problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        sink.books.note(Finding(str(path), line, f"not JSON: {problem}", "Export it again, or mend the line"))
        return None


def listed(sink: Sink, path: Path, value: Any, what: str) -> list[Any]:
    """Return `value` where it is a list; nothing where it is None; anything else is a finding."""
    if isinstance(value, list):
        return value
    if value is not None:
        sink.books.tell(f"{what} that are no list", path, None, f"{what} are no list", "Export them again")
    return []


def mapped(sink: Sink, path: Path, value: Any, what: str) -> Mapping[str, Any]:
    """Return `value` where it is an object; an empty one where it is None; anything else is a finding."""
    if isinstance(value, Mapping):
        return value
    if value is not None:
        sink.books.tell(f"{what} that is no object", path, None, f"{what} is no object", "Export it again")
    return {}


def _line_of(data: bytes, error: Exception) -> int | None:
    """Return the line of the byte that a decoder complains about, None where it names none."""
    _, _, place = str(error).rpartition("(byte ")
    return data.count(b"\n", 0, int(place[:-1])) + 1 if place[:-1].isdigit() else None
