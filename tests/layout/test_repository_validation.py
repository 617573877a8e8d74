"""A store is validated tag by tag, in any order, and what comes of it is the same."""

from itertools import permutations
from pathlib import Path

from dreg_client import Layout
from dreg_client._sync.validation import RepositoryValidation


def test_what_is_told_does_not_depend_on_the_order_of_tags(fixtures: Path) -> None:
    with Layout(fixtures / "layouts/multi") as layout:
        told: set[tuple[str, ...]] = set()
        for order in permutations(layout.tags()):
            validation = RepositoryValidation(layout, complete=True)
            told.add(tuple(sorted(found.name for tag in order for found in validation.tag(tag))))
        [names] = told
        assert set(layout.tags()) < set(names)
        assert len(names) == len(set(names))
