"""YAML files into checked models, with every mistake as a finding that names its line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from evalkit.errors import Finding

Model = TypeVar("Model", bound=BaseModel)
Place = str | int


def read_model(path: Path, model: type[Model], findings: list[Finding]) -> Model | None:
    """Read the YAML file `path` as `model`; on mistakes note all of them and return None."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except FileNotFoundError:
        findings.append(Finding(str(path), None, "there is no such file", "Check the path"))
        return None
    except UnicodeDecodeError as error:
        what = f"byte {error.start + 1} is not UTF-8"
        findings.append(Finding(str(path), None, what, "Convert the file to UTF-8"))
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = f"not YAML: {getattr(error, 'problem', None) or 'unreadable'}"
        findings.append(Finding(str(path), mark and mark.line + 1, what, "Mend the syntax"))
        return None
    try:
        return model.model_validate({} if value is None else value)
    except ValidationError as error:
        for problem in error.errors():
            line = _line_of(root, problem["loc"])
            findings.append(Finding(str(path), line, *_explain(problem["loc"], problem["msg"], model)))
        return None


def _explain(location: Iterable[Place], message: str, model: type[BaseModel]) -> tuple[str, str]:
    place = ".".join(str(part) for part in location) or "the file"
    if message == "Extra inputs are not permitted":
        known = ", ".join(model.model_fields)
        return f"unknown key `{place}`", f"Remove or correct it; the keys at the top are {known}"
    return f"`{place}`: {message[:1].lower()}{message[1:]}", "Correct the value"


def _line_of(node: yaml.Node | None, location: Iterable[Place]) -> int | None:
    """Follow `location` through the composed nodes as far as it goes; a key's own line is the answer."""
    line = None if node is None else node.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
