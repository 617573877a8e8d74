"""Full names of images, such as `localhost:5000/acme/web:1.4`: a layout or archive may have several repositories."""

from collections.abc import Iterable, Mapping

from dreg_client.values.reference import is_tag
from dreg_client.values.registry_name import may_be_host


def repository_of(name: str) -> str:
    """Return the repository in the name of an image; empty if it is only a tag.

    Examples:
        >>> repository_of("localhost:5000/acme/web:1.4"), repository_of("1.4")
        ('localhost:5000/acme/web', '')
    """
    repository, _, tag = name.rpartition(":")
    return repository if is_tag(tag) else ""


def by_repository(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the names in each repository, by their tags. Those without a repository are below an empty name.

    Examples:
        >>> by_repository(["acme/web:1.4", "latest"])
        {'acme/web': {'1.4': 'acme/web:1.4'}, '': {'latest': 'latest'}}
    """
    found: dict[str, dict[str, str]] = {}
    for name in names:
        repository = repository_of(name)
        found.setdefault(repository, {})[name.removeprefix(f"{repository}:") if repository else name] = name
    return found


def without_registry(repository: str) -> str:
    """Return the name of a repository without its registry.

    Examples:
        >>> without_registry("localhost:5000/acme/web"), without_registry("acme/web")
        ('acme/web', 'acme/web')
    """
    host, slash, rest = repository.partition("/")
    return rest if slash and may_be_host(host) else repository


def in_one_repository(found: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return names by their tags, as those of one repository. A name that is already a tag is preferred."""
    return {tag: name for repository in sorted(found, reverse=True) for tag, name in found[repository].items()}


def is_repository(text: str) -> bool:
    """Return whether the image in the name of a store is a repository, because it cannot be a tag or an image.

    Examples:
        >>> is_repository("localhost:5000/acme/web"), is_repository("acme/web:1.4"), is_repository("1.4")
        (True, False, False)
    """
    _, slash, last = text.rpartition("/")
    return bool(slash) and ":" not in last and "@" not in text
