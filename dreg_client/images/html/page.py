"""Renders the view of an image by templates; all of its text is escaped by default (`text.finalize`)."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from dreg_client.images.byte_size import byte_size
from dreg_client.images.html import text
from dreg_client.images.html.drawing import drawing_of
from dreg_client.images.view import Plain, full_name

_SEVERITIES: Final = ("error", "warning", "note")
_FRAGMENT_TOP: Final = 3  # below the headings of the notebook around it


class FirstTable:
    """The first table of the page with certain members: images of one index share many labels and annotations."""

    def __init__(self) -> None:
        self._names: dict[tuple[tuple[str, str], ...], str] = {}

    def of(self, title: str, members: dict[str, str], owner: str) -> str | None:
        """Return the name of an equal table further up, None if this is the first one."""
        key = tuple(members.items())
        if key in self._names:
            return self._names[key]
        if members:
            self._names[key] = f"the {title.lower()} of {owner}"
        return None


def render(seen: Plain, *, whole_page: bool) -> str:
    """Render a page or a fragment (see `dreg_client.images.html.picture`)."""
    problems = seen.get("problems")
    template = _environment().get_template("page.html.j2" if whole_page else "fragment.html.j2")
    return template.render(
        seen=seen,
        name=full_name(seen),
        drawing=drawing_of(seen),
        first_table=FirstTable(),
        problems=None if problems is None else _by_document(problems),
        problem_counts=_counted(problems or ()),
        top=1 if whole_page else _FRAGMENT_TOP,
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dreg_client.images.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=text.finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    functions = (text.spelled, text.breakable, text.timestamp, text.clip, text.thousands, text.plural)
    filters: dict[str, Any] = environment.filters  # Any: the type inferred for its own filters is narrower
    filters |= {function.__name__: function for function in functions} | {"size": byte_size}
    tests: dict[str, Any] = environment.tests
    tests["https_url"] = text.is_https_url
    return environment


def _by_document(problems: Iterable[Plain]) -> dict[tuple[str, str | None], list[tuple[str, Plain]]]:
    """Group problems, each with its severity, by their document, in order."""
    documents: dict[tuple[str, str | None], list[tuple[str, Plain]]] = {}
    for problem in problems:
        documents.setdefault((problem["document"], problem["digest"]), []).append((_severity(problem), problem))
    return documents


def _counted(problems: Iterable[Plain]) -> str:
    count = Counter(map(_severity, problems))
    given = [severity for severity in _SEVERITIES if count[severity]]
    return ", ".join(f"{count[severity]:,} {text.plural(severity, count[severity])}" for severity in given)


def _severity(problem: Plain) -> str:
    return problem["severity"] if problem["severity"] in _SEVERITIES else "note"
