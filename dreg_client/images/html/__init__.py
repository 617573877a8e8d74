"""HTML pages of images. They have no scripts and load no resources. Requires Jinja2, which the extra `cli` installs."""

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
    try:
        from dreg_client.images.html.page import render  # noqa: PLC0415 (Jinja2 is optional, and slow to import)
    except ModuleNotFoundError as failure:
        if failure.name != "jinja2":
            raise
        raise MissingLibraryError("Jinja2", "cli") from None
    return render(seen, whole_page=whole_page)
