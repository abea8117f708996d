"""The error tree: exit codes and findings."""

import pytest

from evalkit import errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConditionFailed, 1),
        (errors.InputError, 2),
        (errors.UnknownName, 2),
        (errors.DomainError, 2),
        (errors.ProviderError, 3),
        (errors.LedgerError, 3),
    ],
)
def test_each_error_has_its_exit_code(error: type[errors.EvalkitError], code: int) -> None:
    """The exit codes are what other people's scripts depend on."""
    assert error.exit_code == code


def test_a_data_error_lists_all_its_findings() -> None:
    """All findings come at once, each with file, line and remedy."""
    error = errors.DataError(
        [
            errors.Finding("corpus.jsonl", 3, "no _id", "Give every document an _id"),
            errors.Finding("qrels/test.tsv", None, "no rows", "Add judgments"),
        ]
    )

    assert str(error) == (
        "corpus.jsonl:3: no _id. Give every document an _id\nqrels/test.tsv: no rows. Add judgments"
    )


def test_a_data_error_stays_readable_with_many_findings() -> None:
    """Past fifty findings the rest is counted; all stay in `.findings`."""
    error = errors.DataError([errors.Finding("f", n, "bad", "Mend it") for n in range(60)])

    assert str(error).endswith("... and 10 more")
    assert len(error.findings) == 60
