"""Random plans: explicit changes, and rules."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st

from dreg_client import Digest
from tests.tagging.repositories import TAGS, Dated

MATCHES = ("*", "nightly-*", "1.*", "pr-*", "latest")


@dataclass(frozen=True)
class Wish:
    """A change or a rule of a plan.

    Attributes:
        kind: The method of the planner.
        tag: The tag of a change.
        image: The number of the image of a change.
        match: The tags of a rule.
        count: How many images stay.
        flag: Whether referrers are deleted, or an image is deleted with its last tag, by the kind.
    """

    kind: Literal["tag", "move", "untag", "delete", "retag", "keep", "prune", "old"]
    tag: str
    image: int
    match: str
    count: int
    flag: bool

    def add_to(self, planner: Any, graph: Dated) -> None:
        """Add it to a planner."""
        digest = Digest(graph.made[self.image % len(graph.made)]["digest"])
        methods: dict[str, Callable[[], object]] = {
            "tag": lambda: planner.tag(self.tag, to=digest),
            "move": lambda: planner.move(self.tag, to=digest),
            "untag": lambda: planner.untag(self.tag),
            "delete": lambda: planner.delete_manifest(digest, referrers=self.flag),
            "retag": lambda: planner.retag(self.match, "{major}.{minor}"),
            "keep": lambda: planner.keep(self.match),
            "prune": lambda: planner.prune(self.match, keep_last=self.count, delete=self.flag),
            "old": lambda: planner.prune(self.match, older_than="365d", delete=self.flag),
        }
        methods[self.kind]()


kinds = st.sampled_from(["tag", "move", "untag", "delete", "retag", "keep", "prune", "prune", "old"])
one_wish = st.builds(
    Wish, kinds, st.sampled_from(TAGS), st.integers(0, 20), st.sampled_from(MATCHES), st.integers(0, 2), st.booleans()
)
wishes = st.lists(one_wish, min_size=1, max_size=4)
