"""`trec`: documents in SGML, topics in their usual shapes, judgments with or without an iteration."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

from evalkit.data.importers import parts
from evalkit.data.importers.options import Options
from evalkit.data.importers.sink import Sink, need
from evalkit.data.importers.sources import find, form
from evalkit.data.lines import Lines

TITLES = ("TITLE", "HEADLINE", "HEAD", "HL", "TI")
NO_TEXT = ("DOCNO", "DOCID", "FILEID", "DATE", "PARENT", *TITLES)
TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
LABEL = re.compile(r"^\s*(Number|Topic|Description|Narrative)\s*:", re.IGNORECASE)
MAX_DOCUMENT_LINES = 200_000


def read(source: str, options: Options, sink: Sink) -> None:
    """Read a folder with `*topics*`, `*qrels*` and documents, or the files that the options name."""
    folder = Path(source)
    need(
        folder.is_dir(), source, "name a folder, and --corpus, --queries, --qrels where its names are unusual"
    )
    judged = [options.qrels] if options.qrels else find(folder, "*qrels*", "qrels/*")
    asked = [options.queries] if options.queries else find(folder, "*topics*", "topics/*", "*queries*")
    texts = (
        [options.corpus]
        if options.corpus
        else find(folder, "docs/*", "documents/*", "corpus*", "*docs*", "*.sgml", "*.sgm", "*.trec")
    )
    need(judged, source, "no file of judgments (*qrels*); name it with --qrels")
    need(asked, source, "no file of topics (*topics*); name it with --queries")
    need(texts, source, "no documents (docs/*, corpus*, *.sgml); name their file with --corpus")
    for path in texts:
        if parts.is_table(path):
            parts.corpus(sink, path)
        else:
            documents(sink, path)
    for path in asked:
        topics(sink, path)
    for path in judged:
        qrels(sink, path)


def qrels(sink: Sink, path: Path) -> None:
    """Take `query iteration document grade` or `query document grade`, with any white space between."""
    for number, line in enumerate(Lines(path, sink.books.note).text(), start=1):
        cells = line.split()
        if not cells:
            continue
        if len(cells) not in (3, 4):
            what, remedy = f"{len(cells)} columns instead of 3 or 4", "Write query iteration document grade"
            sink.books.tell("lines that are no judgment", path, number, what, remedy)
            continue
        sink.rating(path, number, cells[0], cells[-2], cells[-1])


def documents(sink: Sink, path: Path) -> None:
    """Take `<DOC>` elements: DOCNO is the id, TITLE or HEADLINE the title, TEXT or the rest the text."""
    for line, body in _elements(sink, path):
        number = _inside(body, "DOCNO")
        title = next((found for tag in TITLES if (found := _inside(body, tag))), "")
        text = _inside(body, "TEXT", every=True) or _plain(
            re.sub(rf"(?is)<({'|'.join(NO_TEXT)})\b[^>]*>.*?</\1>", " ", body)
        )
        sink.document(path, line, number, text, title)


def topics(sink: Sink, path: Path) -> None:
    """Take topics as SGML (`<top>`), XML (`<topic>`), a table, or lines of `id<tab>text` or `id:text`."""
    if form(path) in (".jsonl", ".ndjson", ".json", ".csv", ".parquet"):
        parts.queries(sink, path)
        return
    data = "\n".join(Lines(path, sink.books.note).text())
    if re.search(r"(?i)<(top|topic|query)\b[^>]*>", data[:1_000_000]):
        _marked(sink, path, data)
        return
    for line, text in enumerate(data.split("\n"), start=1):
        if not text.strip():
            continue
        name, mark, asked = text.partition("\t") if "\t" in text else text.partition(":")
        if not mark:
            what, remedy = "no tab and no colon between id and text", "Write id, a tab, and the query"
            sink.books.tell("lines that are no topic", path, line, what, remedy)
            continue
        sink.query(path, line, name, asked.strip())


def _marked(sink: Sink, path: Path, data: str) -> None:
    """Take `<top>` with unclosed fields, and `<topic number="7">` with closed ones or plain text."""
    begins = list(re.finditer(r"(?i)<(top|topic|query)\b([^>]*)>", data))
    begins = [begin for begin in begins if begin[1].lower() == begins[0][1].lower()]
    for begin, after in zip(begins, [*begins[1:], None], strict=True):
        body = data[begin.end() : after.start() if after else len(data)]
        body = re.split(rf"(?i)</{begin[1]}\s*>", body)[0]
        attribute = re.search(r"""(?i)\b(?:number|id|num|qid)\s*=\s*["']([^"']*)["']""", begin[2])
        name = attribute[1] if attribute else _field(body, "num") or _field(body, "number")
        text = _field(body, "title") or _field(body, "query") or _field(body, "desc")
        if not text and not TAG.search(body):
            text = _plain(body)
        described = {key: found for key in ("desc", "narr") if (found := _field(body, key))}
        sink.query(path, data.count("\n", 0, begin.start()) + 1, name, text, (), described)


def _field(body: str, tag: str) -> str:
    """Return a topic's field up to the next tag, without the label that TREC repeats (`Number: 301`)."""
    found = re.search(rf"(?is)<{tag}\b[^>]*>([^<]*)", body)
    return " ".join(LABEL.sub("", _plain(found[1])).split()) if found else ""


def _elements(sink: Sink, path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and content of each `<DOC>` element, holding one at a time."""
    body: list[str] = []
    start = None
    for number, line in enumerate(Lines(path, sink.books.note).text(), start=1):
        upper = line.strip().upper()
        if start is None and upper.startswith("<DOC>"):
            start, body = number, [line.strip()[len("<DOC>") :]]
        elif start is None and upper:
            what, remedy = "text outside <DOC>", "Wrap each document in <DOC> and </DOC>"
            sink.books.tell("lines outside documents", path, number, what, remedy)
        elif start is not None:
            body.append(line)
        if start is not None and upper.endswith("</DOC>"):
            yield start, "\n".join(body)[: -len("</DOC>")]
            start = None
        elif start is not None and len(body) > MAX_DOCUMENT_LINES:
            break
    if start is not None:
        what, remedy = "a <DOC> is never closed", "Close it with </DOC>"
        sink.books.tell("documents without an end", path, start, what, remedy)


def _inside(body: str, tag: str, every: bool = False) -> str:
    found = re.findall(rf"(?is)<{tag}\b[^>]*>(.*?)</{tag}\s*>", body)
    return "\n".join(filter(None, map(_plain, found if every else found[:1])))


def _plain(text: str) -> str:
    return html.unescape(TAG.sub(" ", text)).strip()
