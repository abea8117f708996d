"""Contradictions in a source: found, counted, refused, and settled only by an option that says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evalkit.data import beir
from evalkit.data.importers import Options
from evalkit.data.importers.bring import Imported, bring
from evalkit.errors import DataError, InputError
from tests.data.importers.samples import write_csv

HEADER = ["query_id", "query", "category", "doc_id", "text", "grade", "rater"]
Row = Sequence[object]


def row(query: str = "q1", doc: str = "d1", grade: object = 1, **more: object) -> list[object]:
    """Return a row whose texts follow from its ids."""
    values = {"category": "", "rater": "", "query": f"about {query}", "text": f"text of {doc}"} | more
    return [query, values["query"], values["category"], doc, values["text"], grade, values["rater"]]


def run(folder: Path, rows: Sequence[Row], **options: Any) -> Imported:
    """Import rows as a CSV file."""
    source = write_csv(folder / "ratings.csv", HEADER, [list(one) for one in rows])
    return bring("csv", source, folder / "dest", Options(**options))


def refused(folder: Path, rows: Sequence[Row], **options: Any) -> str:
    """Return what is told where the import is refused, and see that nothing was written."""
    with pytest.raises(DataError) as error:
        run(folder, rows, **options)
    assert not (folder / "dest").exists()
    return str(error.value)


def grades(done: Imported) -> dict[tuple[str, str], int]:
    """Return the judgments that were written."""
    lines = (done.folder / "qrels" / "test.tsv").read_text().splitlines()[1:]
    return {(q, d): int(g) for q, d, g in (line.split("\t") for line in lines)}


SEVERAL = [row(grade=g, rater=r) for r, g in zip("abcd", (3, 1, 1, 2), strict=True)]


def test_several_grades_of_a_pair_are_refused(tmp_path: Path) -> None:
    """Nobody decided which rater is right: the pair is told with its line and the option."""
    told = refused(tmp_path, SEVERAL)

    assert "ratings.csv:3: document 'd1' has several grades" in told
    assert "--several majority" in told


@pytest.mark.parametrize(
    ("how", "grade"), [("majority", 1), ("mean", 2), ("max", 3), ("first", 3), ("last", 2)]
)
def test_several_grades_come_to_one_as_the_option_says(tmp_path: Path, how: str, grade: int) -> None:
    """3, 1, 1, 2: the majority is 1, the mean 1.75 is rounded, and so on."""
    done = run(tmp_path, SEVERAL, several=how)

    assert grades(done) == {("q1", "d1"): grade}
    assert done.accounts["ratings"].left_out == {"settled with others of the pair (--several)": 3}


@pytest.mark.parametrize(("given", "grade"), [((0, 3), 0), ((3, 0), 0), ((2, 3, 3, 2), 2), ((1, 2, 2), 2)])
def test_a_tied_majority_is_the_lower_grade(tmp_path: Path, given: tuple[int, ...], grade: int) -> None:
    """Where as many say one as the other, nothing is promised that half of them deny."""
    rows = [row(grade=g, rater=str(place)) for place, g in enumerate(given)]

    assert grades(run(tmp_path, rows, several="majority")) == {("q1", "d1"): grade}


def test_a_mean_halfway_is_rounded_up(tmp_path: Path) -> None:
    """1 and 2 come to 2, not to the even number."""
    rows = [row(grade=1, rater="a"), row(grade=2, rater="b"), row("q2", grade=0), row("q2", grade=1)]

    assert grades(run(tmp_path, rows, several="mean")) == {("q1", "d1"): 2, ("q2", "d1"): 1}


def test_the_same_grade_again_needs_no_decision(tmp_path: Path) -> None:
    """Raters who agree contradict nobody; the repetition is booked."""
    done = run(tmp_path, [row(rater="a"), row(rater="b")])

    assert done.accounts["ratings"].left_out == {"repeated word for word (same pair, same grade)": 1}


def test_agreement_of_named_raters_is_reported(tmp_path: Path) -> None:
    """Two raters on four pairs, one disagreement: alpha and kappa are there, with their n."""
    rows = [
        row(doc=f"d{n}", grade=g, rater=r)
        for r, given in {"a": (0, 1, 0, 1), "b": (0, 1, 0, 0)}.items()
        for n, g in enumerate(given)
    ]
    done = run(tmp_path, rows, several="first")

    assert done.agreement is not None
    assert (done.agreement.n, done.agreement.raters) == (4, 2)
    assert done.agreement.kappas[0].kappa == pytest.approx(0.5)


def test_unrated_pairs_are_booked_and_stay_unjudged(tmp_path: Path) -> None:
    """An empty grade is no zero."""
    done = run(tmp_path, [row(), row(doc="d2", grade="")])

    assert grades(done) == {("q1", "d1"): 1}
    assert done.accounts["ratings"].left_out == {"not rated": 1}
    assert len(beir.load(done.folder).corpus) == 2


def test_words_need_a_meaning(tmp_path: Path) -> None:
    """Each word without a grade is told once, with how many ratings say it."""
    rows = [row(grade="Exact"), row("q2", grade="Exact"), row("q3", grade="Partial"), row("q4", grade=0)]
    told = refused(tmp_path, rows, grades={"Partial": 1})

    assert "2 ratings say 'Exact'" in told
    assert "Partial" not in told


def test_words_become_the_declared_grades(tmp_path: Path) -> None:
    """Words, numbers and words to leave out; the card keeps what each grade was called."""
    rows = [row(grade="Exact"), row("q2", grade="100"), row("q3", grade="?"), row("q4", grade="0")]
    done = run(tmp_path, rows, grades={"Exact": 3, "100": 3, "?": None}, relevant_from=2)
    dataset = beir.load(done.folder)

    assert grades(done) == {("q1", "d1"): 3, ("q2", "d1"): 3, ("q4", "d1"): 0}
    assert done.accounts["ratings"].left_out == {"of a grade to skip (--grade)": 1}
    assert dataset.grades == {3: "Exact or 100"}
    assert dataset.qrels.relevant_from == 2


def test_numbers_become_grades_by_bins(tmp_path: Path) -> None:
    """A rate of clicks reaches as many bounds as its grade."""
    rows = [row(f"q{n}", grade=g) for n, g in enumerate([0, 0.049, 0.05, 0.2, 1])]
    done = run(tmp_path, rows, bins=(0.05, 0.2))

    assert list(grades(done).values()) == [0, 0, 1, 2, 2]


@pytest.mark.parametrize("grade", ["1.5", "nan", "inf", "1e400", "2e9999", "٣", "1_0", "99999999999", "--1"])
def test_a_grade_that_is_no_whole_number_is_refused(tmp_path: Path, grade: str) -> None:
    """Only plain whole numbers of ordinary size are grades."""
    assert "no whole number" in refused(tmp_path, [row(grade=grade)])


def test_grades_outside_the_scale(tmp_path: Path) -> None:
    """Refused, dropped or clipped, as the user says."""
    rows = [row(grade=9), row("q2", grade=3), row("q3", grade=-1)]

    assert "1 rating is 9, outside 0 to 3" in refused(tmp_path, rows, scale=(0, 3))
    dropped = run(tmp_path, rows, scale=(0, 3), outside="drop")
    assert grades(dropped) == {("q2", "d1"): 3}
    assert dropped.accounts["ratings"].left_out == {"outside the scale (--outside)": 2}


def test_grades_are_clipped_to_the_scale(tmp_path: Path) -> None:
    """What is beyond the scale becomes its end."""
    rows = [row(grade=9), row("q2", grade=3), row("q3", grade=-1)]

    assert list(grades(run(tmp_path, rows, scale=(0, 3), outside="clip")).values()) == [3, 3, 0]


OTHER_TEXT = [row(), row("q2", text="another text of d1")]


def test_an_id_with_two_contents_is_refused(tmp_path: Path) -> None:
    """Which text is document d1 is for the user to say."""
    assert "ratings.csv:3: the id 'd1' came before with other content" in refused(tmp_path, OTHER_TEXT)


@pytest.mark.parametrize(("which", "text"), [("first", "text of d1"), ("last", "another text of d1")])
def test_an_id_with_two_contents_is_settled(tmp_path: Path, which: str, text: str) -> None:
    """The first or the last stays; the other is booked."""
    done = run(tmp_path, OTHER_TEXT, twice=which)

    assert beir.load(done.folder).corpus["d1"].text == text
    assert done.accounts["documents"].left_out == {"of an id that is taken (--twice)": 1}


ALIKE = [row("Q1", "d1"), row("q1", "D1 x", text="text of d1"), row("q1", "d1  X", 0, text="text of d1")]


def test_ids_that_differ_in_case_are_refused(tmp_path: Path) -> None:
    """Q1 and q1, "D1 x" and "d1  X" may be one or two: the user says."""
    told = refused(tmp_path, ALIKE)

    assert "the ids 'Q1' and 'q1' differ in case or blanks only" in told
    assert "the ids 'D1 x' and 'd1  X' differ" in told


def test_ids_that_differ_in_case_can_be_kept(tmp_path: Path) -> None:
    """They are different things then."""
    assert len(grades(run(tmp_path, ALIKE, alike="keep"))) == 3


def test_ids_that_differ_in_case_can_be_merged(tmp_path: Path) -> None:
    """The first spelling stays, and the ratings of the other go to it."""
    done = run(tmp_path, ALIKE, alike="merge", several="max")

    assert grades(done) == {("Q1", "d1"): 1, ("Q1", "D1 x"): 1}
    assert set(beir.load(done.folder).corpus) == {"d1", "D1 x"}


CATEGORIES = [row(category="leave"), row(doc="d2", category="travel")]


def test_a_query_of_two_categories_is_refused(tmp_path: Path) -> None:
    """A threshold belongs to one category: the user says which."""
    assert "query 'q1' has the categories leave, travel" in refused(tmp_path, CATEGORIES)


@pytest.mark.parametrize(("how", "category"), [("first", "leave"), ("join", "leave|travel")])
def test_a_query_of_two_categories_is_settled(tmp_path: Path, how: str, category: str) -> None:
    """The first, or both as a category of their own."""
    assert beir.load(run(tmp_path, CATEGORIES, categories=how).folder).queries["q1"].category == category


def tables(folder: Path) -> dict[str, Path]:
    """Write a corpus and queries of their own."""
    corpus = write_csv(folder / "corpus.csv", ["id", "text"], [["d1", "one"], ["d2", "two"]])
    queries = write_csv(folder / "queries.csv", ["id", "query"], [["q1", "first"]])
    return {"corpus": Path(corpus), "queries": Path(queries)}


def test_ratings_of_unknown_ids_are_refused_or_dropped(tmp_path: Path) -> None:
    """A rating that names nobody is told with its line, or left out and booked."""
    source = write_csv(
        tmp_path / "judged.csv",
        ["query_id", "doc_id", "grade"],
        [["q1", "d1", 1], ["q1", "d9", 1], ["q9", "d1", 1]],
    )
    with pytest.raises(DataError) as error:
        bring("csv", source, tmp_path / "dest", Options(**tables(tmp_path)))
    done = bring("csv", source, tmp_path / "dest", Options(**tables(tmp_path), drop_unknown=True))

    assert "judged.csv:3: a rating names the unknown document 'd9'" in str(error.value)
    assert "judged.csv:4: a rating names the unknown query 'q9'" in str(error.value)
    assert done.accounts["ratings"].left_out == {"of an unknown query or document (--drop-unknown)": 2}


def test_ratings_in_another_spelling_find_their_document(tmp_path: Path) -> None:
    """Judgments that say D1 where the corpus says d1 are a question, and --alike merge the answer."""
    source = write_csv(tmp_path / "judged.csv", ["query_id", "doc_id", "grade"], [["q1", "D1", 1]])
    with pytest.raises(DataError, match="ratings name the document 'D1', which is 'd1' elsewhere"):
        bring("csv", source, tmp_path / "dest", Options(**tables(tmp_path)))
    done = bring("csv", source, tmp_path / "dest", Options(**tables(tmp_path), alike="merge"))

    assert grades(done) == {("q1", "d1"): 1}


def test_thousands_of_alike_findings_are_told_in_one(tmp_path: Path) -> None:
    """Twenty are told with their lines, and how many there are."""
    rows = [row(doc=f"d{n}", grade=g, rater=str(g)) for n in range(500) for g in (1, 2)]
    told = refused(tmp_path, rows)

    assert told.count("has several grades for this query") == 20
    assert "500 pairs have several grades; 20 of them are told" in told


def test_a_missing_column_lists_those_that_are_there(tmp_path: Path) -> None:
    """What to write after --map is in the message."""
    source = write_csv(tmp_path / "odd.csv", ["frage", "doc_id", "text", "grade"], [["x", "d1", "y", 1]])
    with pytest.raises(DataError) as error:
        bring("csv", source, tmp_path / "dest")

    assert "no column for `query`" in str(error.value)
    assert "the columns are frage, doc_id, text, grade" in str(error.value)


def test_columns_become_fields_of_a_structured_document(tmp_path: Path) -> None:
    """--map fields=... keeps names and order, for YAML."""
    source = write_csv(
        tmp_path / "rows.csv",
        ["query", "sku", "brand", "description", "grade"],
        [["tv", "s1", "Acme", "Large", 1]],
    )
    done = bring(
        "csv", source, tmp_path / "dest", Options(columns={"doc_id": "sku", "fields": "description,brand"})
    )

    assert list((beir.load(done.folder).corpus["s1"].fields or {}).items()) == [
        ("description", "Large"),
        ("brand", "Acme"),
    ]


def test_a_map_of_the_ratings_leaves_the_corpus_alone(tmp_path: Path) -> None:
    """`--map doc_id=doc` is for the table that has a column `doc`; before, the corpus lost its `_id`."""
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d1", "text": "one"}\n{"_id": "d2", "text": "two"}\n')
    source = write_csv(tmp_path / "rows.csv", ["query", "doc", "grade"], [["a", "d1", 1], ["a", "d2", 0]])
    done = bring(
        "csv",
        source,
        tmp_path / "dest",
        Options(corpus=tmp_path / "corpus.jsonl", columns={"doc_id": "doc"}),
    )

    assert done.accounts["ratings"].written == 2


def test_with_a_corpus_it_is_the_documents_id_that_is_missed(tmp_path: Path) -> None:
    """The texts are in the corpus: asking for a column of texts would mislead."""
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d1", "text": "one"}\n')
    source = write_csv(tmp_path / "rows.csv", ["query", "doc", "grade"], [["a", "d1", 1]])
    with pytest.raises(DataError, match="no column for `doc_id`"):
        bring("csv", source, tmp_path / "dest", Options(corpus=tmp_path / "corpus.jsonl"))


def test_a_map_to_a_column_that_no_table_has_is_refused(tmp_path: Path) -> None:
    """A misspelt column of categories would leave the data set without any."""
    told = refused(tmp_path, [row()], columns={"category": "knd"})

    assert "--map category=knd: no table has a column 'knd'" in told
    assert "the columns are category, doc_id, grade" in told


def test_a_map_of_a_name_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    """The left side is one of our names."""
    with pytest.raises(InputError, match=r"--map catgory=category: on the left stands one of our names"):
        run(tmp_path, [row()], columns={"catgory": "category"})


def test_what_was_read_and_is_wrong_is_not_said_to_be_missing(tmp_path: Path) -> None:
    """Ratings of unknown documents were found; advice to name a file of ratings would mislead."""
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d9", "text": "nine"}\n')
    told = refused(tmp_path, [row()], corpus=tmp_path / "corpus.jsonl")

    assert "names the unknown document 'd1'" in told
    assert "were found" not in told
