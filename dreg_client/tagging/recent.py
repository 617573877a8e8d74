"""Conditions of number and age: the newest images, and those that are younger than an age."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dreg_client.tagging.ages import age, age_text
from dreg_client.tagging.newest import MatchedImage, Order, newest
from dreg_client.values.arguments import check_choice
from dreg_client.values.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """Which images are recent: the newest ones by number, or those younger than an age.

    Attributes:
        count: How many of the newest images are recent; None for no such condition.
        younger_than: The age up to which images are recent; None for no such condition.
        by: By what the newest images are found.
    """

    count: int | None = None
    younger_than: timedelta | None = None
    by: Order = "created"

    @classmethod
    def of(cls, count: int | None, younger_than: timedelta | str | None, by: Order = "created") -> "Recent":
        """Return the conditions.

        Raises:
            ValueError: The number is negative, the age is not valid, or `by` is neither `created` nor `version`.
            TypeError: The number is not an int, or the age is neither text nor a timedelta.
        """
        if count is not None and type(count) is not int:
            message = f"the number of images must be an int, not {count!r:.100}"
            raise TypeError(message)
        if count is not None and count < 0:
            message = f"the number of images must be 0 or more, not {count}"
            raise ValueError(message)
        check_choice("by", by, ("created", "version"))
        return cls(count=count, younger_than=None if younger_than is None else age(younger_than), by=by)

    @property
    def is_given(self) -> bool:
        """Whether there is a condition."""
        return self.count is not None or self.younger_than is not None

    @property
    def needs_dates(self) -> bool:
        """Whether the dates of images are needed."""
        return self.younger_than is not None or (self.count is not None and self.by == "created")

    def unknown(self, image: MatchedImage) -> str | None:
        """Return what is not known of an image and must be; None if everything is known."""
        if self.needs_dates and image.created is None:
            return "it is not known when it was made"
        if self.count is not None and image.rank(self.by) is None:
            return "its tag is not a version"
        return None

    def newest(self, images: Iterable[MatchedImage]) -> frozenset[Digest]:
        """Return the newest of some images, as many as `count` says. Those that are `unknown` do not count."""
        if self.count is None:
            return frozenset()
        return newest((it for it in images if self.unknown(it) is None), self.count, self.by)

    def is_young(self, image: MatchedImage, now: datetime) -> bool:
        """Return whether an image is younger than the age, which must be given; a date in the future is."""
        return image.created is not None and self.younger_than is not None and image.created > now - self.younger_than

    @property
    def newest_text(self) -> str:
        """Words for the condition of number."""
        return f"among the {self.count} newest" if self.by == "created" else f"among the {self.count} highest versions"

    @property
    def age_text(self) -> str:
        """Words for the age."""
        return age_text(self.younger_than) if self.younger_than is not None else ""
