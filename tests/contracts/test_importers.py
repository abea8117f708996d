"""What every importer keeps, whatever its format: the round trip, the books, all or nothing."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evalkit.data import beir
from evalkit.data.importers import IMPORTERS
from evalkit.data.importers.bring import Imported, bring
from evalkit.data.importers.options import Options
from evalkit.errors import EvalkitError, InputError
from evalkit.records import Dataset
from tests.corpora import DOCUMENTS, QUERIES
from tests.data.importers.samples import SAMPLES, Sample

FORMATS = list(IMPORTERS)


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let optional packages answer from memory."""

    def install(sample: Sample) -> None:
        for name, package in sample.packages.items():
            monkeypatch.setitem(sys.modules, name, package)
            monkeypatch.setattr(importlib.util, "find_spec", lambda _: SimpleNamespace(origin="memory"))

    return install


def run(form: str, folder: Path, packages: Any) -> tuple[Imported, Sample]:
    """Write the format's sample and import it."""
    (folder / "source").mkdir()
    sample = SAMPLES[form](folder / "source")
    packages(sample)
    return bring(form, sample.source, folder / "dest", sample.options), sample


def judged(dataset: Dataset) -> dict[tuple[str, str], int]:
    """Return grades by the texts of query and document: ids may be others than in the source."""
    query_ids, doc_ids = dataset.qrels.query_ids.to_pylist(), dataset.qrels.doc_ids.to_pylist()

    def text(doc_id: str) -> str:
        document = dataset.corpus[doc_id]
        values = [value for value in (document.fields or {}).values() if isinstance(value, str)]
        return (document.text or " ".join(values)).strip()

    columns = (dataset.qrels.query, dataset.qrels.doc, dataset.qrels.grade)
    return {
        (dataset.queries[query_ids[query]].text, text(doc_ids[doc])): grade
        for query, doc, grade in zip(*(column.tolist() for column in columns), strict=True)
    }


@pytest.mark.parametrize("form", FORMATS)
def test_every_grade_arrives(form: str, tmp_path: Path, packages: Any) -> None:
    """The collection comes out as it went in: every pair, by its texts, with its grade."""
    done, sample = run(form, tmp_path, packages)
    dataset = beir.load(done.folder)

    assert judged(dataset) == {
        (QUERIES[query][0], DOCUMENTS[doc]): grade for (query, doc), grade in sample.grades.items()
    }


@pytest.mark.parametrize("form", FORMATS)
def test_the_books_balance(form: str, tmp_path: Path, packages: Any) -> None:
    """What was read is what was written and what was left out, and the files hold what the books say."""
    done, sample = run(form, tmp_path, packages)
    dataset = beir.load(done.folder)

    assert all(account.balanced for account in done.accounts.values())
    assert done.accounts["ratings"].read == len(sample.grades)
    assert done.accounts["ratings"].written == len(dataset.qrels.grade)
    assert done.accounts["documents"].written == len(dataset.corpus)
    assert done.accounts["queries"].written == len(dataset.queries)


@pytest.mark.parametrize("form", FORMATS)
def test_an_import_is_the_same_every_time(form: str, tmp_path: Path, packages: Any) -> None:
    """Two imports of one source have the same digests."""
    done, sample = run(form, tmp_path, packages)
    again = bring(form, sample.source, tmp_path / "again", sample.options)

    assert beir.load(again.folder).digests == beir.load(done.folder).digests


@pytest.mark.parametrize("form", FORMATS)
def test_a_taken_folder_is_left_alone(form: str, tmp_path: Path, packages: Any) -> None:
    """An import never writes over what is there."""
    run(form, tmp_path, packages)
    before = {path: path.read_bytes() for path in (tmp_path / "dest").rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="holds something already"):
        bring(form, str(tmp_path / "source"), tmp_path / "dest")

    assert {path: path.read_bytes() for path in (tmp_path / "dest").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("form", FORMATS)
def test_a_source_that_is_not_there_is_named(form: str, tmp_path: Path) -> None:
    """A wrong path is the user's error, told in a line, and leaves nothing behind."""
    with pytest.raises(InputError):
        bring(form, str(tmp_path / "nowhere"), tmp_path / "dest")

    assert list(tmp_path.iterdir()) == []


def damage(data: bytes, rng: random.Random) -> bytes:
    """Return `data` cut, overwritten, repeated or shuffled somewhere."""
    place = rng.randrange(len(data) + 1)
    kind = rng.randrange(6)
    if kind == 0:
        return data[:place]
    if kind == 1:
        return data[:place] + bytes(rng.randrange(256) for _ in range(3)) + data[place + 3 :]
    if kind == 2:
        return data[:place] + data[place // 2 :]
    if kind == 3:
        lines = data.split(b"\n")
        rng.shuffle(lines)
        return b"\n".join(lines)
    if kind == 4:
        old, new = rng.choice([b'"', b"\t", b",", b"q1", b"3"]), rng.choice([b"", b"\x00", b"\xff", b"[" * 9])
        return data.replace(old, new)
    return b""


@pytest.mark.parametrize("form", FORMATS)
def test_damaged_sources_never_break_an_importer(form: str, tmp_path: Path, packages: Any) -> None:
    """Sixty damaged copies: each is a valid data set with balanced books, or findings; never a traceback."""
    rng = random.Random(form)
    source = tmp_path / "source"
    source.mkdir()
    sample = SAMPLES[form](source)
    packages(sample)
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    whole = {path: path.read_bytes() for path in files}
    for turn in range(60 if files else 1):
        for path in files:
            path.write_bytes(whole[path])
        if files:
            victim = rng.choice(files)
            victim.write_bytes(damage(whole[victim], rng))
        dest = tmp_path / f"dest{turn}"
        try:
            done = bring(form, sample.source, dest, sample.options)
        except EvalkitError as error:
            assert str(error)
            assert not dest.exists()
        else:
            beir.load(dest)
            assert all(account.balanced for account in done.accounts.values())
    assert not list(tmp_path.glob(".dest*"))


def test_every_format_has_a_sample() -> None:
    """A new importer comes with the collection in its format."""
    assert set(SAMPLES) == set(FORMATS)


def test_an_unknown_format_is_told_with_its_likeness(tmp_path: Path) -> None:
    """A slip of the finger has the right name beside it."""
    with pytest.raises(InputError, match="did you mean quepid"):
        bring("quipid", "x", tmp_path / "dest", Options())
