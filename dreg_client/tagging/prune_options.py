"""The options of `prune`."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal, TypedDict

from dreg_client.tagging.newest import Order


class PruneOptions(TypedDict, total=False):
    """The keyword arguments of `TagPlanner.prune`.

    Attributes:
        semver: A range of versions in npm syntax, such as `<1.4`. Only tags in it match.
        keep_last: Keep this many of the newest images that match, with all their tags. Images whose date (with
            `by="version"`, whose version) is unknown are also kept, and do not count.
        older_than: Remove only images that are older than this: a timedelta, or text such as `36h`, `14d` or `2w`.
        keep: Globs: tags that are not removed. Their images count among the newest.
        by: What makes an image the newest: `created` (default), or `version`, which needs no dates.
        untagged: Whether to also remove manifests without a tag that nothing needs. Only layouts and some registries
            list them.
        delete: Whether an image is deleted with its last tag (default: True).
        images: None to remove the tags that match. Otherwise, images are removed with all their tags: `any` if one of
            them matches, `all` if all of them match, `each` if each glob of `match` matches one of them. An image with
            a tag that is kept is not removed.
    """

    semver: str | None
    keep_last: int | None
    older_than: timedelta | str | None
    keep: Iterable[str]
    by: Order
    untagged: bool
    delete: bool
    images: Literal["any", "all", "each"] | None
