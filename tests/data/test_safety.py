"""Files that were made to do harm: bombs, endless lines, links, aliases, deep nesting."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from evalkit.data import beir, files, lines
from evalkit.data.importers.bring import bring
from evalkit.errors import DataError, Finding
from evalkit.experiment.check import check
from tests.corpora import write_dataset


def told(folder: Path) -> str:
    """Return all findings of a data set in one text."""
    return "\n".join(map(str, beir.inspect(folder)[1]))


def test_a_bomb_in_an_archive_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading stops where an archive grows two hundred times; what came out is still told."""
    monkeypatch.setattr(files, "ALWAYS_FINE", 1 << 20)
    folder = write_dataset(tmp_path)
    (folder / "corpus.jsonl").unlink()
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(b" " * 50_000_000))

    assert "corpus.jsonl.gz: the archive expands more than 200 times: reading stopped" in told(folder)


def test_a_torn_archive_is_told(tmp_path: Path) -> None:
    """An archive that ends early, or is none."""
    folder = write_dataset(tmp_path)
    packed = gzip.compress((folder / "corpus.jsonl").read_bytes())
    (folder / "corpus.jsonl").unlink()
    for content in (packed[:-9], b"no archive"):
        (folder / "corpus.jsonl.gz").write_bytes(content)
        assert "corpus.jsonl.gz: the file cannot be read" in told(folder)


@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_an_endless_line_is_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: bytes
) -> None:
    """The lines after it have their right numbers."""
    monkeypatch.setattr(lines, "MAX_LINE", 1000)
    monkeypatch.setattr(files, "BLOCK", 256)
    folder = write_dataset(tmp_path)
    corpus = folder / "corpus.jsonl"
    endless = b'{"_id": "x", "text": "' + b"y" * 5000 + b'"}'
    corpus.write_bytes(endless + b"\n" + corpus.read_bytes() + b"{}\n" + endless + ending)
    findings = [str(finding).removeprefix(f"{folder}/") for finding in beir.inspect(folder)[1]]

    assert [finding.split(": ")[0] for finding in findings] == [f"corpus.jsonl:{n}" for n in (1, 8, 9)]


@pytest.mark.parametrize("block", [64, 100, 255, 256])
@pytest.mark.parametrize("before", [0, 1, 63, 99])
def test_what_is_too_long_does_not_hang_on_how_a_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, before: int
) -> None:
    """A line of the greatest length is read and one of a byte more is not, wherever a block ends."""
    monkeypatch.setattr(lines, "MAX_LINE", 256)
    monkeypatch.setattr(files, "BLOCK", block)
    path, found = tmp_path / "file.jsonl", list[Finding]()
    path.write_bytes(b"\n".join(b"y" * length for length in (before, 256, 3, 257, 3)))

    assert [len(line) for line in lines.Lines(path, found.append)] == [before, 256, 3, 0, 3]
    assert [one.line for one in found] == [4]


def test_a_hundred_megabytes_in_one_line_are_survived(tmp_path: Path) -> None:
    """One finding, and no more memory than a few blocks."""
    folder = write_dataset(tmp_path)
    with (folder / "corpus.jsonl").open("ab") as file:
        for _ in range(25):
            file.write(b"x" * (1 << 22))

    assert "corpus.jsonl:7: the line is longer than 16 MiB" in told(folder)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    """A data set that came from elsewhere cannot show us files of ours."""
    secret = tmp_path / "secret.jsonl"
    secret.write_text('{"_id": "s", "text": "mine"}\n')
    folder = write_dataset(tmp_path / "set")
    (folder / "corpus.jsonl").unlink()
    (folder / "corpus.jsonl").symlink_to(secret)

    assert "the link leaves the data set's folder" in told(folder)
    with pytest.raises(DataError, match="the link leaves"):
        bring("beir", str(folder), tmp_path / "dest")


def test_links_in_a_circle_and_pipes_are_told(tmp_path: Path) -> None:
    """Neither is waited for."""
    folder = write_dataset(tmp_path / "set")
    (folder / "corpus.jsonl").unlink()
    (folder / "corpus.jsonl").symlink_to("corpus.jsonl")
    (folder / "queries.jsonl").unlink()
    os.mkfifo(folder / "queries.jsonl")

    assert "leads in a circle" in told(folder)
    assert "queries.jsonl: this is no regular file" in told(folder)


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdef", "bcdefg", strict=True)
)
CARDS = {
    "aliases that unfold": (LAUGHS, "aliases that unfold to more than 100,000 values"),
    "an alias in itself": ("render: &a {fields: *a}\n", "an alias that contains itself"),
    "too much": ("name: " + "x" * 2_000_000, "more than 1 MiB of YAML"),
    "a key twice": ("name: a\nname: b\n", "dataset.yaml:2: the key `name` stands twice"),
    "code": ("name: !!python/object/apply:os.system ['true']\n", "not YAML"),
    "nested deeply": ("render: " + "[" * 5000 + "]" * 5000, "not YAML"),
    "a control sign": ("name: \x07\n", "not YAML"),
    "a broken date": ("name: 2024-13-45\n", "dataset.yaml"),
}


@pytest.mark.parametrize("kind", CARDS)
def test_a_hostile_card_is_a_finding(tmp_path: Path, kind: str) -> None:
    """YAML that would unfold, loop, run or swell is told and not followed."""
    text, what = CARDS[kind]

    assert what in told(write_dataset(tmp_path, card=text))


@pytest.mark.parametrize(
    "line",
    [
        '{"_id": "x", "text": ' + "[" * 100_000,
        '{"_id": "x", "metadata": ' + '{"a":' * 100_000,
        '{"_id": "\\ud800"}',
    ],
)
def test_hostile_json_is_a_finding(tmp_path: Path, line: str) -> None:
    """Deep nesting and half characters are told with their line."""
    folder = write_dataset(tmp_path)
    with (folder / "corpus.jsonl").open("a") as file:
        file.write(line + "\n")

    assert "corpus.jsonl:7: " in told(folder)


def test_check_tells_a_hostile_folder_without_a_traceback(tmp_path: Path) -> None:
    """Everything that is wrong, in one list."""
    folder = write_dataset(tmp_path, card=LAUGHS)
    (folder / "queries.jsonl").write_bytes(b"\xff\xfe\x00")

    assert {Path(finding.path).name for finding in check(folder).findings} >= {
        "dataset.yaml",
        "queries.jsonl",
    }
