"""An image as a picture: one page, or a part of one, of HTML that loads and runs nothing."""

from dreg_client.images.html.page import picture

__all__ = ["picture"]
