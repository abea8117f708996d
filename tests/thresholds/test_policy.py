"""Tests of the policy that production applies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit import ThresholdPolicy
from evalkit.errors import DomainError, InputError
from evalkit.thresholds.entry import Entry, Estimate, Promise, Reach

DOMAIN = {
    "provider": "cohere",
    "model": "rerank-v3.5",
    "score_space": "unit",
    "render": "yaml",
    "candidates": "bm25@50",
    "digest": "abc",
}
finite = st.floats(allow_nan=False, allow_infinity=False)
estimates = st.dictionaries(st.text(), st.builds(Estimate, finite, st.none() | finite, st.none() | finite))
promises = st.builds(
    Promise, st.text(), finite, st.none() | finite, finite, st.integers(0, 9), also=st.tuples()
)
entries = st.builds(
    Entry,
    st.none() | finite,
    st.sampled_from(["certified", "estimated", "fallback", "unusable"]),
    st.none() | promises,
    estimates,
    st.integers(0, 99),
    st.none() | st.integers(0, 99),
    st.text(),
    st.lists(st.text()).map(tuple),
    reach=st.none() | st.builds(Reach, st.none() | finite, st.none() | finite),
)


def policy(threshold: float | None = 0.5, **changes: object) -> ThresholdPolicy:
    """Return a policy with one category, "how-to"."""
    values = {
        "domain": DOMAIN,
        "goal": {"maximise": "F1"},
        "default": Entry(0.9, "estimated"),
        "categories": {"how-to": Entry(threshold, "certified" if threshold is not None else "unusable")},
    }
    return ThresholdPolicy(**{**values, **changes})  # type: ignore[arg-type]  a test's shorthand


@given(default=entries, categories=st.dictionaries(st.text(), entries))
def test_a_saved_policy_is_read_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, default: Entry, categories: dict[str, Entry]
) -> None:
    """What is written is what is read, every float included."""
    path = tmp_path_factory.mktemp("policy") / "thresholds.json"
    written = policy(default=default, categories=categories)
    written.save(path)

    assert ThresholdPolicy.load(path) == written


def test_the_file_has_the_documented_names(tmp_path: Path) -> None:
    """Scripts read thresholds.json by these names."""
    path = tmp_path / "thresholds.json"
    policy().save(path)
    data = json.loads(path.read_text("utf-8"))

    assert data["schema"] == "evalkit.thresholds/1"
    assert data["operator"] == ">="
    assert {"domain", "goal", "default", "categories"} <= data.keys()
    assert {"threshold", "status", "promise", "estimates", "n_queries", "needs_queries"} <= data[
        "default"
    ].keys()


def test_keep_filters_cohere_results_at_the_threshold_and_above() -> None:
    """A score equal to the threshold is kept; the result objects come back as they were."""
    results = [SimpleNamespace(index=i, relevance_score=s) for i, s in enumerate([0.9, 0.5, 0.4999])]

    assert policy().keep(results, category="how-to") == results[:2]


def test_keep_filters_pairs_in_their_order() -> None:
    """(id, score) pairs work the same, and are not sorted."""
    assert policy().keep([("b", 0.5), ("a", 0.8), ("c", 0.1)], category="how-to") == [("b", 0.5), ("a", 0.8)]


def test_an_unknown_category_gets_the_default() -> None:
    """A category that was not calibrated is filtered by the overall threshold."""
    assert policy().keep([("a", 0.89), ("b", 0.9)], category="never seen") == [("b", 0.9)]


def test_a_category_without_threshold_is_not_filtered() -> None:
    """Where no threshold does what was asked, nothing is dropped."""
    assert policy(None).keep([("a", 0.0)], category="how-to") == [("a", 0.0)]


@pytest.mark.parametrize(("safe", "kept"), [("lower", ["a", "b"]), ("higher", ["a"])])
def test_several_categories_take_the_safest_threshold(safe: str, kept: list[str]) -> None:
    """A query of two categories keeps the promise of each."""
    two = {"x": Entry(0.3, "certified"), "y": Entry(0.6, "certified")}
    results = [("a", 0.7), ("b", 0.4), ("c", 0.2)]

    assert [item[0] for item in policy(categories=two, safe=safe).keep(results, category="x|y")] == kept


def test_keep_top_1_shows_the_best_where_nothing_passes() -> None:
    """The declared behaviour for empty results is applied, and never to an empty input."""
    eager = policy(empty_result="keep_top_1")

    assert eager.keep([("a", 0.1), ("b", 0.3)], category="how-to") == [("b", 0.3)]
    assert eager.keep([], category="how-to") == []


@pytest.mark.parametrize("where", [{"model": "rerank-v4.0-pro"}, {"domain": "other"}])
def test_scores_of_another_domain_are_refused(where: dict[str, str]) -> None:
    """A threshold of one model says nothing about the scores of another."""
    with pytest.raises(DomainError):
        policy().keep([("a", 0.5)], category="how-to", **where)


@pytest.mark.parametrize("model", ["rerank-v3.5", "cohere/rerank-v3.5"])
def test_the_own_model_is_accepted_with_or_without_its_provider(model: str) -> None:
    """Both spellings name the same model."""
    assert policy().keep([("a", 0.5)], category="how-to", model=model) == [("a", 0.5)]


@pytest.mark.parametrize("score", [1.5, -0.1, float("nan")])
def test_what_cannot_be_a_score_of_the_domain_is_refused(score: float) -> None:
    """Logits and NaN do not pass for scores between 0 and 1."""
    with pytest.raises(DomainError, match=r"rerank-v3\.5"):
        policy().keep([("a", 0.2), ("b", score)], category="how-to")


@pytest.mark.parametrize("results", [[{"no": "score"}], [3], ["ab"]])
def test_results_of_another_shape_are_an_input_error(results: list[object]) -> None:
    """The message names the two shapes that work."""
    with pytest.raises(InputError, match="relevance_score"):
        policy().keep(results)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "no JSON"),
        ("[]", "schema None"),
        ('{"schema": "evalkit.thresholds/9"}', "evalkit.thresholds/9"),
        ('{"schema": "evalkit.thresholds/1", "operator": ">="}', "damaged"),
        ('{"schema": "evalkit.thresholds/1", "operator": ">"}', "operator"),
    ],
)
def test_a_broken_file_is_told_in_one_line(tmp_path: Path, content: str, told: str) -> None:
    """Whatever is wrong with the file, its path and the reason are in the message."""
    path = tmp_path / "thresholds.json"
    path.write_text(content, "utf-8")

    with pytest.raises(InputError, match=told) as caught:
        ThresholdPolicy.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("wrong", [{"status": "fine"}, {"threshold": "0.5"}])
def test_an_impossible_value_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    """A status or threshold that cannot be is not applied."""
    data = policy().to_dict()
    data["default"] |= wrong
    path = tmp_path / "thresholds.json"
    path.write_text(json.dumps(data), "utf-8")

    with pytest.raises(InputError, match="damaged"):
        ThresholdPolicy.load(path)


def test_a_missing_file_is_told_with_what_writes_one(tmp_path: Path) -> None:
    """The remedy is in the message."""
    with pytest.raises(InputError, match="evalkit calibrate"):
        ThresholdPolicy.load(tmp_path / "none.json")


def test_importing_the_policy_imports_no_heavy_library() -> None:
    """A search service that filters results does not pay for NumPy."""
    code = "import sys; from evalkit import ThresholdPolicy; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert {"numpy", "pandas", "scipy", "pyarrow", "pydantic"} & set(done.stdout.split()) == set()
