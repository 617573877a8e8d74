"""The words of a page: HTML is written through `element`, which escapes whatever was not made here."""

import re
from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import Final

LONGEST: Final = 2000
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_LINK: Final = re.compile(r"https://[!-~]+")


class Html(str):
    """Text that is HTML already: only this module makes it, so a stranger's text cannot be taken for it."""

    __slots__ = ()


def element(name: str, *content: str | None, **attributes: str | None) -> Html:
    """An element with its content; plain text is escaped, `Html` stands as it is, None is left out.

    `class_` is the attribute `class`, `aria_hidden` is `aria-hidden`.

    Examples:
        >>> element("p", "1 < 2", element("b", "!"), class_="x")
        '<p class="x">1 &lt; 2<b>!</b></p>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(spelled(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{written}>{joined(content)}</{name}>")


def joined(parts: Iterable[str | None], between: str = "") -> Html:
    """Parts of a page in a row."""
    written = (part if isinstance(part, Html) else shown(part) for part in parts if part is not None)
    return Html(escape(between).join(written))


def shown(text: str) -> Html:
    r"""A stranger's text, escaped, cut where it is very long; characters without a picture are spelled out and marked.

    Such are controls, marks that reverse the direction of writing, breaks of lines, odd spaces: they could turn the
    text around, or hide a part of it.

    Examples:
        >>> shown("<b>\u202e")
        '&lt;b&gt;<span class="odd">\\u202e</span>'
    """
    part = text[:LONGEST]
    body = escape(part) if part.isprintable() else _marked(part)
    if len(part) == len(text):
        return Html(body)
    return Html(f'{body}<span class="cut">… cut here; {len(text):,} characters in all</span>')


def _marked(text: str) -> str:
    runs = ((printable, "".join(run)) for printable, run in groupby(text, str.isprintable))
    return "".join(escape(run) if printable else f'<span class="odd">{spelled(run)}</span>' for printable, run in runs)


def spelled(text: str) -> str:
    r"""Plain text whose characters without a picture are spelled out, for places where nothing can be marked.

    Examples:
        >>> spelled("a\x1b\u2066")
        'a\\x1b\\u2066'
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def size(octets: int) -> str:
    """A number of bytes as people read it, in powers of 1024; as `dreg inspect` writes it, whose floor is above.

    Examples:
        >>> size(0), size(32_654), size(2**63 - 1)
        ('0 B', '31.9 KiB', '8.0 EiB')
    """
    amount, unit = float(octets), 0
    while amount >= 1023.95 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{octets} B" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    Examples:
        >>> counted(1, "layer"), counted(2, "layer")
        ('1 layer', '2 layers')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def moment(created: str) -> str:
    """A time to the second; what is no time stays as it is.

    Examples:
        >>> moment("2024-05-20T08:00:00.123456789Z"), moment("yesterday")
        ('2024-05-20 08:00:00 Z', 'yesterday')
    """
    found = _TIME.fullmatch(created)
    return " ".join(found.groups()) if found else created


def short(digest: str) -> Html:
    """The beginning of a digest, enough to tell it from the others of a page."""
    return element("code", (digest.partition(":")[2] or digest)[:12], class_="digest")


def code(text: str) -> Html:
    """Text that a machine reads."""
    return element("code", text)


def dotted(text: str) -> Html:
    """A dotted name, which may break behind its dots."""
    return Html(shown(text).replace(".", ".<wbr>"))


def link(text: str, url: str) -> Html:
    """A link that is followed only when it is clicked; what is no https address becomes plain text."""
    if not _LINK.fullmatch(url):
        return element("span", text)
    return element("a", text, href=url, rel="noopener noreferrer")


def listed(values: Iterable[str]) -> Html | None:
    """Values below one another; None where there are none."""
    items = [element("li", code(value)) for value in values]
    return element("ul", *items, class_="plain") if items else None


def table(head: Iterable[str], rows: Iterable[Html], class_: str) -> Html:
    """A table whose columns are named."""
    columns = element("tr", *(element("th", title, scope="col") for title in head))
    return element("table", element("thead", columns), element("tbody", *rows), class_=class_)


def cells(*content: str | None, class_: str | None = None) -> Html:
    """A row; its first cell names it."""
    first, *rest = content
    return element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in rest), class_=class_)


def facts(pairs: Iterable[tuple[str, str | None]], class_: str = "facts") -> Html:
    """Rows of a name and a value; where the value is None there is no row."""
    given = ((label, value) for label, value in pairs if value is not None)
    rows = [element("div", element("dt", dotted(label)), element("dd", value)) for label, value in given]
    return element("dl", *rows, class_=class_) if rows else Html()


def folded(title: Html, body: Html, *, opened: bool, class_: str | None = None) -> Html:
    """What can be folded away under its title, without a script."""
    return element("details", element("summary", title), body, class_=class_, open="" if opened else None)
