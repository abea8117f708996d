"""YAML files into checked models, with every mistake as a finding that names its line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from evalkit.data.files import refusal
from evalkit.errors import Finding

Model = TypeVar("Model", bound=BaseModel)
Place = str | int
MAX_BYTES = 1 << 20
MAX_NODES = 100_000  # with every alias counted as often as it is used


def read_model(path: Path, model: type[Model], findings: list[Finding]) -> Model | None:
    """Read the YAML file `path` as `model`; on mistakes note all of them and return None."""
    if refused := refusal(path):
        findings.append(refused._replace(remedy="Check the path"))
        return None
    try:
        if path.stat().st_size > MAX_BYTES:
            findings.append(Finding(str(path), None, "more than 1 MiB of YAML", "Write settings, not data"))
            return None
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        if unsafe := _unsafe(root):
            findings.append(Finding(str(path), *unsafe, "Write it out without the alias"))
            return None
        if twice := _repeated_key(root):
            findings.append(Finding(str(path), *twice, "Keep one of the two"))
            return None
        value = None if root is None else yaml.SafeLoader("").construct_document(root)
    except UnicodeDecodeError as error:
        what = f"byte {error.start + 1} is not UTF-8"
        findings.append(Finding(str(path), None, what, "Convert the file to UTF-8"))
        return None
    except (yaml.YAMLError, RecursionError, ValueError, OSError) as error:
        mark = getattr(error, "problem_mark", None)
        what = f"not YAML: {getattr(error, 'problem', None) or str(error) or 'unreadable'}"
        findings.append(Finding(str(path), mark and mark.line + 1, what, "Mend the syntax"))
        return None
    try:
        return model.model_validate({} if value is None else value)
    except ValidationError as error:
        for problem in error.errors():
            place = [part for part in problem["loc"] if str(part)[:1] != "("]  # a form's tag is no key
            findings.append(
                Finding(str(path), _line_of(root, place), *_explain(place, problem["msg"], model))
            )
        return None


def problems(error: ValidationError) -> str:
    """Return all that is wrong with a model's data in one line: `place: what; place: what`."""
    told = ((".".join(map(str, one["loc"])), one["msg"]) for one in error.errors())
    return "; ".join(f"{place}: {what}" if place else what for place, what in told)


def line_of(path: Path, location: Iterable[Place]) -> int | None:
    """Return the line of a key in a YAML file that was read as a model; None where there is no such file."""
    if not path.is_file():
        return None
    return _line_of(yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader), location)


def _explain(location: Sequence[Place], message: str, model: type[BaseModel]) -> tuple[str, str]:
    place = ".".join(str(part) for part in location)
    if message == "Extra inputs are not permitted":
        known = f"; the keys at the top are {', '.join(model.model_fields)}" if len(location) == 1 else ""
        return f"unknown key `{place}`", f"Remove or correct it{known}"
    message = message.removeprefix("Value error, ")
    told = f"{message[:1].lower()}{message[1:]}"
    return f"`{place}`: {told}" if place else told, "Correct the value"


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


def _unsafe(root: yaml.Node | None) -> tuple[int, str] | None:
    """Return where aliases lead in a circle or would unfold to too much, and what is wrong there."""
    sizes: dict[int, int] = {}
    circle: list[yaml.Node] = []

    def size(node: yaml.Node, above: frozenset[int]) -> int:
        if id(node) in above:
            circle.append(node)
            return 1
        if id(node) not in sizes:
            inside = above | {id(node)}
            sizes[id(node)] = 1 + sum(size(child, inside) for child in _children(node))
        return sizes[id(node)]

    if root is None:
        return None
    total = size(root, frozenset())
    if circle:
        return circle[0].start_mark.line + 1, "an alias that contains itself"
    if total > MAX_NODES:
        return root.start_mark.line + 1, f"aliases that unfold to more than {MAX_NODES:,} values"
    return None


def _repeated_key(root: yaml.Node | None) -> tuple[int, str] | None:
    """Return the line and name of a key that stands twice in one mapping: YAML would keep the last."""
    nodes, seen = [root] if root is not None else [], set()
    while nodes:
        node = nodes.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        nodes.extend(_children(node))
        if isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in keys and key.value != "<<":
                    return key.start_mark.line + 1, f"the key `{key.value}` stands twice"
                keys.add(key.value if isinstance(key, yaml.ScalarNode) else "")
    return None


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
