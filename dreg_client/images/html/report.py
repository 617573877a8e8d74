"""Render the sums of a validation with templates, which escape all text by default (`text.finalize`)."""

from collections.abc import Sequence

from dreg_client.images.html.page import environment
from dreg_client.images.view import Plain


def render(sums: Plain) -> str:
    """Render a page (see `dreg_client.images.html.report_page`)."""
    template = environment().get_template("page.html.j2")
    return template.render(
        body="report.html.j2",
        name=f"Validation of {listed(sums['sources'])}",
        sums=sums,
        share=share,
        percent=percent,
        most=max([1, *(rule["documents"] for rule in sums["rules"])]),
    )


def listed(names: Sequence[str]) -> str:
    """Return the first of some names, and the number of the others.

    Examples:
        >>> listed(["reports"]), listed(["a", "b", "c"])
        ('reports', 'a and 2 more')
    """
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def share(part: int, whole: int) -> str:
    """Return a part of a whole for people; neither a few of many nor almost all are rounded away.

    Examples:
        >>> share(1, 3), share(1, 1_000_000), share(999_999, 1_000_000), share(0, 5), share(5, 5)
        ('33.3%', 'under 0.1%', 'over 99.9%', '0%', '100%')
    """
    if part <= 0:
        return "0%"
    if part >= whole:
        return "100%"
    if part * 1000 < whole:
        return "under 0.1%"
    return "over 99.9%" if part * 1000 > whole * 999 else f"{100 * part / whole:.1f}%"


def percent(part: int, whole: int) -> str:
    """Return a part of a whole as a width of a style sheet, at most `100%`."""
    return f"{min(100.0, 100 * part / max(whole, 1)):.4f}%"
