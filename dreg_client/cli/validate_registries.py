"""Validate a tag, a repository, or all repositories in the catalog of a registry."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreg_client.cli.arguments import DOCKER, URLS, host_alone
from dreg_client.cli.fan_out import map_in_threads
from dreg_client.cli.validate_output import Checked, FailedSource, Finding, Settings
from dreg_client.errors import DregError, InvalidReferenceError, NotFoundError
from dreg_client.errors.problems import Problem, Severity
from dreg_client.values.docker_hub import DOCKER_HUB
from dreg_client.values.reference import Reference

if TYPE_CHECKING:
    from dreg_client._sync.registry import Registry


def names_registry(source: str) -> bool:
    """Return whether a source is in a registry: it has a prefix such as `docker://`, or a host and is not a file."""
    if source.startswith((DOCKER, *URLS)):
        return True
    if Path(source).exists():
        return False
    first = source.partition("/")[0]
    try:
        return (
            host_alone(source) is not None
            or Reference.parse(source).registry != DOCKER_HUB
            or (first != source and "." in first)
        )
    except InvalidReferenceError:
        return False


def check_registry(source: str, settings: Settings) -> Iterator[Finding]:
    """Validate `HOST/REPOSITORY[:TAG|@DIGEST]`, or all of `HOST/`, `HOST:PORT` or the URL of a registry."""
    from dreg_client._sync.registry import Registry
    from dreg_client.cli.logging import show_log
    from dreg_client.cli.registry_options import given_options
    from dreg_client.credentials.lookup import with_defaults
    from dreg_client.values.store_name import StoreName

    if not settings.quiet:
        show_log()
    journal = _Journal(settings.resume)
    options = with_defaults(given_options())
    if host := host_alone(source):
        with Registry(host, **options) as registry:
            for repository in registry.catalog():
                yield from _repository(registry, repository, None, journal, settings, is_listed=True)
    else:
        reference = Reference.parse(source.removeprefix(DOCKER))
        is_named = StoreName.parse(source).is_named
        tags = (str(reference.digest or reference.tag),) if is_named else None
        with Registry(reference.registry, **options) as registry:
            yield from _repository(registry, reference.repository, tags, journal, settings)
    journal.remove()


def _repository(
    registry: "Registry",
    name: str,
    tags: tuple[str, ...] | None,
    journal: "_Journal",
    settings: Settings,
    *,
    is_listed: bool = False,
) -> Iterator[Finding]:
    """Validate tags or digests of a repository; None means all tags. `is_listed`: whether the catalog lists it."""
    from dreg_client._sync.validation import RepositoryValidation

    repository, place = registry.repository(name), f"{registry.name}/{name}"
    validation = RepositoryValidation(repository, settings.complete, settings.pedantic)

    def address(name: str) -> str:
        return f"{place}{'@' if ':' in name else ':'}{name}"

    def validate(name: str) -> list[Finding]:
        if (known := journal.done.get(address(name))) is not None:
            return [*known]
        try:
            found = [Checked.of(address(it.name), it.report) for it in validation.tag(name)]
        except DregError as failure:
            return [FailedSource(address(name), failure)]
        journal.add(address(name), found)
        return [*found]

    try:
        names = repository.tags() if tags is None else tags
    except DregError as failure:
        # Some registries list repositories that have only blobs, and respond with 404 to a request for their tags.
        if not (is_listed and isinstance(failure, NotFoundError)):
            yield FailedSource(place, failure)
        return
    for findings in map_in_threads(validate, names, at_once=3):
        yield from findings


class _Journal:
    """A file with a line of JSON for each tag that is done. An incomplete line, left by an interruption, is ignored."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None
        self.done: dict[str, list[Checked]] = {}  # by tag
        if self._path and self._path.exists():
            for line in self._path.read_text("utf-8", "replace").splitlines():
                with suppress(ValueError, KeyError, TypeError):
                    entry = json.loads(line)
                    self.done[entry["tag"]] = [_finding(found) for found in entry["findings"]]

    def add(self, source: str, findings: list[Checked]) -> None:
        if self._path is not None:
            names = ("source", "kind", "digest", "size")
            plain = [
                {**{name: getattr(found, name) for name in names}, "problems": [it.plain() for it in found.problems]}
                for found in findings
            ]
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"tag": source, "findings": plain}) + "\n")

    def remove(self) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _finding(entry: dict[str, Any]) -> Checked:
    texts = ("path", "found", "expected", "clause")
    problems = tuple(
        Problem(it["rule"], Severity(it["severity"]), *(it[name] for name in texts)) for it in entry["problems"]
    )
    return Checked(entry["source"], entry["kind"], entry["digest"], entry["size"], problems)
