"""Check that a plan names each repository, tag and manifest once; otherwise it would not do what it shows."""

from collections.abc import Iterable

from dreg_client.errors import ConfigError


class NamedOnce:
    """What the changes of a repository name, so far.

    Args:
        repository: The repository, for messages.
    """

    def __init__(self, repository: str) -> None:
        self._repository = repository
        self._changed: set[str] = set()

    def add(self, change: str, changed: Iterable[str], *lists: Iterable[str]) -> None:
        """Add a change.

        Args:
            change: A few words that name it, for messages.
            changed: The tags and the manifest that it changes.
            lists: Everything else that it names.

        Raises:
            ConfigError: Something is changed twice, or is in a list twice.
        """
        for names in lists:
            if (twice := first_twice(names)) is not None:
                raise ConfigError(f"{self._repository}: {twice} is named twice by: {change}")
        for name in changed:
            if name in self._changed:
                raise ConfigError(f"{self._repository}: {name} is changed twice")
            self._changed.add(name)


def first_twice(names: Iterable[str]) -> str | None:
    """Return the first name that is in a list twice; None if there is none.

    Examples:
        >>> first_twice(["a", "b", "a"]), first_twice(["a", "b"])
        ('a', None)
    """
    seen = set[str]()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
