"""HTML pages of images and reports, without scripts. They load nothing. Requires Jinja2 (the extra `cli`)."""

from collections.abc import Generator
from contextlib import contextmanager

from dreg_client.errors import MissingLibraryError
from dreg_client.images.view import Plain


def picture(seen: Plain, *, whole_page: bool = True) -> str:
    """Render an image or an artifact as HTML.

    Args:
        seen: The view of the image, as printed by `dreg inspect --format json`; `problems` is optional.
        whole_page: Whether to render a complete page. If not, the result is a fragment for another page, such as a
            notebook. Its styles do not affect the rest of the page, and it has no ids, so a page may have several.

    Raises:
        MissingLibraryError: Jinja2 is not installed.
    """
    with _requiring_jinja2():
        from dreg_client.images.html.page import render  # noqa: PLC0415 (Jinja2 is optional, and slow to import)
    return render(seen, whole_page=whole_page)


def report_page(sums: Plain) -> str:
    """Render the sums of a validation as a complete page.

    Args:
        sums: The sums, as printed by `dreg report --format json`.

    Raises:
        MissingLibraryError: Jinja2 is not installed.
    """
    with _requiring_jinja2():
        from dreg_client.images.html.report import render  # noqa: PLC0415 (as above)
    return render(sums)


@contextmanager
def _requiring_jinja2() -> Generator[None, None, None]:
    try:
        yield
    except ModuleNotFoundError as failure:
        if failure.name != "jinja2":
            raise
        raise MissingLibraryError("Jinja2", "cli") from None
