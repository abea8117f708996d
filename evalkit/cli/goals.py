"""Goals on the command line: the same YAML as in a suite."""

from __future__ import annotations

from typing import Any

from evalkit.errors import InputError


def parsed_goals(texts: list[str]) -> Any:
    """Return what `Goal.parse` reads: one goal, or the risks of one.

    Raises:
        InputError: a text is no YAML.
    """
    import yaml

    parsed = []
    for text in texts:
        try:
            parsed.append(yaml.safe_load(text))
        except yaml.YAMLError as error:
            raise InputError(f"--goal {text!r} is no YAML: {error}") from error
    return parsed if len(parsed) > 1 else parsed[0]
