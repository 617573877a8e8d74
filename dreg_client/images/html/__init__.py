"""Images as HTML pages that load and run nothing; needs Jinja2, which the extra `cli` installs."""

from dreg_client.errors import MissingLibraryError
from dreg_client.images.view import Plain


def picture(seen: Plain, *, whole_page: bool = True) -> str:
    """Render an image or an artifact as HTML.

    Args:
        seen: The view of it, as `dreg inspect --format json` prints it; `problems` is optional.
        whole_page: Whether to render a complete page. Otherwise the result is a fragment for another page, such as a
            notebook: its style applies below one class, and it has no ids, so a page may have any number of fragments.
    """
    try:
        from dreg_client.images.html.page import render  # noqa: PLC0415 (Jinja2 is optional, and slow to import)
    except ModuleNotFoundError as failure:
        if failure.name != "jinja2":
            raise
        raise MissingLibraryError("Jinja2", "cli") from None
    return render(seen, whole_page=whole_page)
