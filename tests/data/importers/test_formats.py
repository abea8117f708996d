"""What is peculiar to single formats: shapes that their tools write beside the usual one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalkit.data import beir
from evalkit.data.importers import Options
from evalkit.data.importers.bring import Imported, bring
from evalkit.errors import DataError, InputError
from tests.corpora import DOCUMENTS, GRADES, QUERIES, write_dataset
from tests.data.importers.samples import SAMPLES, texts, write_csv, write_json

TOPICS = {
    "sgml": "<top>\n<num> Number: 301\n<title> lost badge\n\n<desc> Description:\nWhat to do?\n</top>\n",
    "closed sgml": "<top><num>301</num><title>lost badge</title></top>",
    "xml": '<?xml version="1.0"?>\n<topics><topic number="301">\n<query>lost badge</query></topic></topics>',
    "xml text": '<topics><topic number="301">lost badge</topic></topics>',
    "tsv": "301\tlost badge\n\n",
    "colon": "301:lost badge\n",
    "jsonl": '{"id": "301", "query": "lost badge"}\n',
}


@pytest.mark.parametrize("shape", TOPICS)
def test_topics_in_every_usual_shape(tmp_path: Path, shape: str) -> None:
    """The same query comes out of each."""
    source = tmp_path / "trec"
    source.mkdir()
    (source / f"topics.{'jsonl' if shape == 'jsonl' else 'txt'}").write_text(TOPICS[shape])
    (source / "docs.sgml").write_text(
        "<DOC>\n<DOCNO>A-1</DOCNO>\n<HEADLINE>Badges</HEADLINE>\n"
        "<TEXT>\n<P>Tell &amp; wait.</P>\n</TEXT>\n</DOC>\n"
    )
    (source / "qrels.txt").write_text("301 A-1 1\n")
    dataset = beir.load(bring("trec", str(source), tmp_path / "dest").folder)

    assert dataset.queries["301"].text == "lost badge"
    assert (dataset.corpus["A-1"].title, dataset.corpus["A-1"].text) == ("Badges", "Tell & wait.")
    assert dataset.qrels.grade.tolist() == [1]


def test_trec_documents_without_text_tags_keep_their_rest(tmp_path: Path) -> None:
    """What stands beside DOCNO and the title is the text."""
    source = tmp_path / "trec"
    source.mkdir()
    (source / "topics.tsv").write_text("1\tq\n")
    (source / "docs.trec").write_text("<DOC>\n<DOCNO>1</DOCNO>\n<TITLE>T</TITLE>\nFree text.\n</DOC>\n")
    (source / "qrels.txt").write_text("1 0 1 1\n")
    dataset = beir.load(bring("trec", str(source), tmp_path / "dest").folder)

    assert (dataset.corpus["1"].title, dataset.corpus["1"].text) == ("T", "Free text.")


@pytest.mark.external
def test_trec_evals_own_judgments_come_in_whole(real_data: Path, tmp_path: Path) -> None:
    """Every row of trec_eval's test qrels is read, kept and counted, under stub texts."""
    qrels = real_data / "trec_eval" / "qrels.test"
    rows = [line.split() for line in qrels.read_text().splitlines()]
    docs = sorted({cells[2] for cells in rows})
    asked = sorted({cells[0] for cells in rows})
    corpus = write_csv(tmp_path / "corpus.csv", ["id", "text"], [[d, "text"] for d in docs])
    queries = write_csv(tmp_path / "queries.csv", ["id", "query"], [[q, f"query {q}"] for q in asked])
    folder = tmp_path / "empty"
    folder.mkdir()
    options = Options(corpus=Path(corpus), queries=Path(queries), qrels=qrels)
    done = bring("trec", str(folder), tmp_path / "dest", options)

    assert done.accounts["ratings"].read == done.accounts["ratings"].written == len(rows)


@pytest.mark.external
def test_cranfield_comes_out_as_it_went_in(real_data: Path, tmp_path: Path) -> None:
    """A real BEIR folder: the same documents, queries with categories, and judgments."""
    before = beir.load(real_data / "cranfield")
    after = beir.load(bring("beir", str(real_data / "cranfield"), tmp_path / "dest").folder)

    assert after.digests["qrels"] == before.digests["qrels"]
    assert dict(after.corpus) == dict(before.corpus)
    assert {i: (q.text, q.category, q.excluded) for i, q in after.queries.items()} == {
        i: (q.text, q.category, q.excluded) for i, q in before.queries.items()
    }


@pytest.mark.parametrize("name", ["qrels/dev.tsv", "qrels.tsv", "qrels/test.tsv.gz"])
def test_beir_judgments_under_other_names(tmp_path: Path, name: str) -> None:
    """Another split, a file beside the folder, a packed one."""
    import gzip

    source = write_dataset(tmp_path / "source")
    content = (source / "qrels" / "test.tsv").read_bytes()
    (source / "qrels" / "test.tsv").unlink()
    (source / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    done = bring("beir", str(source), tmp_path / "dest", Options(split="dev" if "dev" in name else "test"))

    assert done.accounts["ratings"].written == len(GRADES)


def test_a_split_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    """The message lists the splits."""
    source = write_dataset(tmp_path / "source")
    with pytest.raises(InputError, match=r"no judgments of the split 'dev' \(there are: test\)"):
        bring("beir", str(source), tmp_path / "dest", Options(split="dev"))


def book(folder: Path, judgements: list[dict[str, Any]]) -> Imported:
    """Import a Quepid book of one pair."""
    pair = {"query_text": "tv", "doc_id": "1", "document_fields": {"title": "TV"}, "judgements": judgements}
    source = write_json(folder / "book.json", {"query_doc_pairs": [pair]})
    return bring("quepid", source, folder / "dest", Options(several="majority"))


def test_quepid_raters_and_null_ratings(tmp_path: Path) -> None:
    """Null, unrateable and later-to-be-judged ratings are unrated; the others are settled."""
    done = book(
        tmp_path,
        [
            {"rating": 3.0, "user_email": "a@x.org"},
            {"rating": 3.0, "user_email": "b@x.org"},
            {"rating": 0.0, "user_email": "c@x.org"},
            {"rating": None, "user_email": "d@x.org"},
            {"rating": 1.0, "unrateable": True, "user_email": "e@x.org"},
            {"rating": 1.0, "judge_later": True},
        ],
    )

    assert (done.folder / "qrels" / "test.tsv").read_text().splitlines()[1] == "q1\t1\t3"
    assert done.accounts["ratings"].read == 6
    assert done.accounts["ratings"].left_out["not rated"] == 3
    assert done.agreement is not None


def test_quepid_case_export(tmp_path: Path) -> None:
    """A case keeps ratings under its queries; the texts come from elsewhere."""
    corpus = write_csv(tmp_path / "docs.csv", ["id", "title"], [["1", "TV"], ["2", "Radio"]])
    case = {"case_name": "tv", "queries": [{"query_text": "tv", "ratings": {"1": 3, "2": None}}]}
    source = write_json(tmp_path / "case.json", case)
    done = bring("quepid", source, tmp_path / "dest", Options(corpus=Path(corpus)))

    assert done.accounts["ratings"].left_out == {"not rated": 1}
    assert beir.load(done.folder).qrels.grade.tolist() == [3]


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (["query", "docid", "rating"], [["tv", "1", "3"]]),
        (["Team Name", "Query Text", "Doc ID", "Title", "Rating"], [["t", "tv", "1", "TV", "3"]]),
        (["query", "docid", "Ann", "Bob"], [["tv", "1", "3", "3"]]),
    ],
)
def test_quepid_csv_exports(tmp_path: Path, header: list[str], rows: list[list[object]]) -> None:
    """The basic export, the detailed one, and a book with a column a rater."""
    corpus = write_csv(tmp_path / "docs.csv", ["id", "text"], [["1", "TV"]])
    source = write_csv(tmp_path / "export.csv", header, rows)
    done = bring("quepid", source, tmp_path / "dest", Options(corpus=Path(corpus)))

    assert beir.load(done.folder).qrels.grade.tolist() == [3]


@pytest.mark.parametrize(
    "ratings",
    [
        {"tv": [{"docId": "1", "rating": "1.000"}]},
        [{"query": "tv", "ratings": [{"docId": "1", "rating": 1}]}],
    ],
)
def test_opensearch_judgments_of_both_versions(tmp_path: Path, ratings: object) -> None:
    """A mapping by query, a list of queries; also inside a search's answer."""
    corpus = write_csv(tmp_path / "docs.csv", ["id", "text"], [["1", "TV"]])
    answer = {"hits": {"hits": [{"_id": "x", "_source": {"judgmentRatings": ratings}}]}}
    source = write_json(tmp_path / "answer.json", answer)
    done = bring("opensearch", source, tmp_path / "dest", Options(corpus=Path(corpus)))

    assert beir.load(done.folder).qrels.grade.tolist() == [1]


@pytest.mark.parametrize(
    "request_",
    [
        {"request": {"query": {"match": {"body": "tv"}}}},
        {"request": {"query": {"multi_match": {"query": "tv", "fields": ["a"]}}}},
        {"template_id": "t", "params": {"size": "10", "query_string": "tv"}},
    ],
)
def test_elasticsearch_texts(tmp_path: Path, request_: dict[str, Any]) -> None:
    """The query's text is found in a match, a multi-match, or a template's parameter."""
    corpus = write_csv(tmp_path / "docs.csv", ["id", "text"], [["1", "TV"]])
    one = {"id": "amsterdam", **request_, "ratings": [{"_index": "i", "_id": "1", "rating": 1}]}
    source = write_json(tmp_path / "body.json", {"requests": [one]})
    done = bring("elasticsearch", source, tmp_path / "dest", Options(corpus=Path(corpus)))

    assert beir.load(done.folder).queries["amsterdam"].text == "tv"


def test_elasticsearch_without_a_text_says_so(tmp_path: Path) -> None:
    """A request that matches nothing by text needs --queries."""
    one = {"id": "all", "request": {"query": {"match_all": {}}}, "ratings": []}
    source = write_json(tmp_path / "body.json", {"requests": [one]})
    with pytest.raises(DataError, match="the request 'all' is in no match and no parameter"):
        bring("elasticsearch", source, tmp_path / "dest", Options(corpus=texts(tmp_path).corpus))


def test_ragas_contexts_find_their_document_in_the_corpus(tmp_path: Path) -> None:
    """With --corpus a context is the document of that text, not one of its own."""
    sample = SAMPLES["ragas"](tmp_path)
    done = bring("ragas", sample.source, tmp_path / "dest", Options(corpus=texts(tmp_path).corpus))
    dataset = beir.load(done.folder)

    assert set(dataset.corpus) == set(DOCUMENTS)
    assert {dataset.queries[q].category for q in dataset.queries} == {"single_hop_specific_query_synthesizer"}


def test_goldens_as_csv(tmp_path: Path) -> None:
    """DeepEval writes contexts into one cell."""
    source = write_csv(tmp_path / "goldens.csv", ["input", "context"], [["tv", "One.;Two."]])
    done = bring("deepeval", source, tmp_path / "dest")

    assert [document.text for document in beir.load(done.folder).corpus.values()] == ["One.", "Two."]


def test_ids_only_formats_ask_for_the_texts(tmp_path: Path) -> None:
    """The format `ranx` has no texts: the options that bring them are named."""
    source = write_json(tmp_path / "qrels.json", {"q1": {"d1": 1}})
    with pytest.raises(InputError, match="--corpus FILE --queries FILE"):
        bring("ranx", source, tmp_path / "dest")


def test_ranx_trec_files(tmp_path: Path) -> None:
    """`Qrels.save("qrels.trec")` has the iteration column."""
    (tmp_path / "qrels.trec").write_text("".join(f"{q}\t0\t{d}\t{g}\n" for q, d, g in GRADES))
    done = bring("ranx", str(tmp_path / "qrels.trec"), tmp_path / "dest", texts(tmp_path))

    assert done.accounts["ratings"].written == len(GRADES)


@pytest.mark.parametrize("form", ["huggingface", "ir_datasets"])
def test_an_optional_package_is_named(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the message says what to install."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install"):
        bring(form, "some/name", tmp_path / "dest")


def test_the_command_line_imports_and_tells_its_books(cli: Any, tmp_path: Path) -> None:
    """`evalkit import` prints the books, and `--json` the same as data."""
    sample = SAMPLES["csv"](tmp_path)
    told = cli("import", "csv", sample.source, tmp_path / "dest")
    as_data = cli("import", "csv", sample.source, tmp_path / "again", "--json")

    assert told.code == 0, told
    assert "ratings: 8 read, 8 written" in told.out
    assert json.loads(as_data.out)["accounts"]["ratings"]["written"] == 8
    assert len(QUERIES) == len(beir.load(tmp_path / "dest").queries)


def test_a_users_mistake_leaves_with_2(cli: Any, tmp_path: Path) -> None:
    """Findings are told with file, line and remedy, without a traceback."""
    source = write_csv(tmp_path / "a.csv", ["query", "doc_id", "text", "grade"], [["q", "d", "t", "good"]])
    told = cli("import", "csv", source, tmp_path / "dest")

    assert told.code == 2
    assert (
        "a.csv:2: 1 rating says 'good', which is no whole number. Say what it means with --grade" in told.err
    )
    assert "Traceback" not in told.err


def test_a_document_that_is_there_twice_is_booked_once(tmp_path: Path) -> None:
    """The same line again is no contradiction; another text under the id is one."""
    source = write_dataset(tmp_path / "source")
    corpus = source / "corpus.jsonl"
    first = corpus.read_text().splitlines()[0]
    corpus.write_text(corpus.read_text() + first + "\n")
    done = bring("beir", str(source), tmp_path / "dest")
    corpus.write_text(corpus.read_text() + first.replace("Annual", "Yearly") + "\n")

    assert done.accounts["documents"].left_out == {"repeated word for word": 1}
    with pytest.raises(DataError, match=r"corpus.jsonl:8: the id 'd1' came before with other content"):
        bring("beir", str(source), tmp_path / "again")


def test_a_parquet_file_whose_names_are_no_text_is_told(tmp_path: Path) -> None:
    """A damaged schema is a finding like any other damage."""
    sample = SAMPLES["parquet"](tmp_path)
    path = Path(sample.source)
    path.write_bytes(path.read_bytes().replace(b"stars", b"st\x8drs"))
    with pytest.raises(DataError, match="not a whole Parquet file"):
        bring("parquet", sample.source, tmp_path / "dest", sample.options)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("topics.txt", b"1\tlost \xff badge\n"),
        ("topics.txt", b"<top 1\n"),
        ("queries.csv", b"id,query\nq1,\xd1"),
    ],
)
def test_topics_that_are_no_text_are_told(tmp_path: Path, name: str, content: bytes) -> None:
    """Bytes that are not UTF-8, also at the very end, and a tag that is never closed: found by fuzzing."""
    sample = SAMPLES["trec"](tmp_path)
    (tmp_path / "topics.txt").unlink()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        bring("trec", sample.source, tmp_path / "dest")
