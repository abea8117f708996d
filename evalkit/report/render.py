"""From a view to `report.html` and `report.md`: one section after the other, all text escaped."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from markupsafe import escape as escape_html

from evalkit.report import charts, escape, figures, plots
from evalkit.report.section import Content, in_order
from evalkit.report.view import View
from evalkit.words import plural

COMMENT = 60_000  # characters of report.md; a comment on GitHub takes 65,536
# What a long report.md goes without, in this order.
FOLDED_FIRST = ("queries", "categories", "attribution", "provenance", "physical")
FIRST_SCREEN = ("verdict", "pipelines", "thresholds")
LEFT_OUT = "_Left out, to fit a comment: {}. See report.html._"
CUT = "\n\nThe rest does not fit a comment: see report.html.\n"


@dataclass(frozen=True)
class Shown:
    """A section that has something to show, with its templates; `markdown` is "" where it has none."""

    name: str
    title: str
    content: Content
    template: str
    markdown: str


class Charts:
    """Draws each plot once, for the page and for the files; `files` maps a file's stem to its drawing."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.files: dict[str, tuple[plots.Drawn, str]] = {}

    def __call__(self, name: str, pipeline: str | None = None) -> Markup | None:
        """Return a plot as inline SVG; None where there is nothing to draw."""
        stem = name if pipeline is None else f"{name}-{escape.slug(pipeline)}"
        if stem not in self.files:
            drawn = plots.draw(self._view, name, pipeline)
            if drawn is None:
                return None
            self.files[stem] = drawn, charts.to_svg(drawn.figure)
        drawn, svg = self.files[stem]
        return charts.inline(svg, stem, escape.visible(drawn.alt))

    def rest(self) -> None:
        """Draw what no section shows."""
        for name, pipeline in plots.every(self._view):
            self(name, pipeline)


def shown(view: View, names: Collection[str] = ()) -> list[Shown]:
    """Return the sections (all, or those named) that this run has something for."""
    found = []
    templates = set(_html().list_templates())
    for one in in_order():
        if names and one.name not in names:
            continue
        content = one.make(view)
        if content is not None:
            page, text = f"sections/{one.name}.html", f"sections/{one.name}.md"
            found.append(Shown(one.name, one.title, content, page, text if text in templates else ""))
    return found


@dataclass(frozen=True)
class Head:
    """What a page says above its first section; `kind` is what it is, such as a report."""

    title: str
    meta: str
    sandbox: bool
    kind: str = "report"


def html(view: View, sections: list[Shown], draw: Charts, version: str) -> str:
    """Return a run's self-contained page."""
    data = view.info["dataset"]
    meta = (
        f"{plural(data['judged_queries'], 'judged query')} · "
        f"{plural(data['documents'], 'document')} · "
        f"{plural(len(view.pipelines), 'pipeline')} · "
        f"{str(view.info['started'])[:10]}"
    )
    return page(Head(view.info["name"], meta, bool(view.info.get("sandbox"))), sections, version, draw)


def page(head: Head, sections: list[Shown], version: str, draw: Charts | None = None) -> str:
    """Return a self-contained page: no request leaves it, and its policy says so."""
    environment = _html()
    environment.globals["draw"] = draw
    style, script = _own("report.css"), _own("report.js")
    return environment.get_template("report.html").render(
        head=head,
        policy=policy(style, script),
        style=Markup(style),  # noqa: S704  our own file
        script=Markup(script),  # noqa: S704  our own file
        shown=sections,
        version=version,
        data={one.name: script_json(one.content["data"]) for one in sections if "data" in one.content},
    )


def fragment(view: View) -> str:
    """Return the verdict, pipelines and thresholds without style or script, for a notebook."""
    environment = _html()
    parts = [
        environment.get_template(one.template).render(it=one.content) for one in shown(view, FIRST_SCREEN)
    ]
    return f"<h3>{escape_html(escape.visible(view.info['name']))}</h3>" + "".join(parts)


def _own(name: str) -> str:
    return (files("evalkit.report") / "templates" / name).read_text("utf-8")


def policy(style: str, script: str) -> str:
    """Return a Content-Security-Policy that allows this page's style and script and nothing else."""
    hashes = [
        "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
        for text in (style, script)
    ]
    own = f"style-src {hashes[0]}; script-src {hashes[1]}"
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"


def script_json(value: Any) -> Markup:
    """Return JSON that can stand in a script element: no `<`, so that no text in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704  JSON without any sign that HTML reads


def markdown(sections: list[Shown]) -> str:
    """Return the report for a pull request; where it would not fit a comment, details are left out."""
    environment = _markdown()
    texts = {
        one.name: environment.get_template(one.markdown).render(it=one.content).strip()
        for one in sections
        if one.markdown
    }
    titles = {one.name: one.title for one in sections}
    left_out = []
    for name in FOLDED_FIRST:
        if name in texts and sum(len(text) + 2 for text in texts.values()) > COMMENT:
            del texts[name]
            left_out.append(titles[name])
            texts["left out"] = LEFT_OUT.format(", ".join(left_out))
    whole = "\n\n".join(texts.values()) + "\n"
    return whole if len(whole) <= COMMENT else whole[: whole.rindex("\n", 0, COMMENT)] + CUT


def _filters() -> Mapping[str, Any]:
    """Return the templates' filters: figures have no sign that needs escaping, in HTML or in Markdown."""

    def plain(write: Callable[..., str]) -> Callable[..., Markup]:
        return lambda *values, **options: Markup(write(*values, **options))  # noqa: S704  digits and our words

    names = ("short", "signed", "interval", "percent", "level", "money", "seconds", "count")
    return {name: plain(getattr(figures, name)) for name in names} | {"plural": plain(plural), "raw": Markup}


def _html() -> Environment:
    environment = _environment(autoescape=True, finalize=_visible)
    environment.filters["breakable"] = lambda text: Markup(escape.breakable(text))  # noqa: S704  escaped there
    return environment


def _markdown() -> Environment:
    return _environment(autoescape=False, finalize=partial(_visible, write=escape.markdown))


def _environment(**options: Any) -> Environment:
    environment = Environment(  # noqa: S701  HTML is rendered with autoescape, Markdown by its own escape
        loader=PackageLoader("evalkit.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )
    environment.filters.update(_filters())
    return environment


def _visible(value: Any, write: Any = escape.visible) -> Any:
    """Write out what cannot be seen in every text that a template shows; markup passes as it is."""
    return write(value) if isinstance(value, str) and not isinstance(value, Markup) else value
