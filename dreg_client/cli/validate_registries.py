"""Validate a tag, a repository, or all repositories in the catalog of a registry."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from dreg_client.cli.fan_out import map_in_threads
from dreg_client.cli.validate_output import Checked, FailedSource, Finding, Settings
from dreg_client.errors import DregError, InvalidReferenceError, NotFoundError
from dreg_client.partitions.input.formats import is_known
from dreg_client.values.docker_hub import DOCKER_HUB
from dreg_client.values.reference import Reference, RepositoryName
from dreg_client.values.registry_name import DOCKER, URLS, host_alone, may_be_host

if TYPE_CHECKING:
    from dreg_client._sync.client import Client
    from dreg_client._sync.store import Store
    from dreg_client._sync.validation import RepositoryValidation
    from dreg_client.cli.validate_journal import Journal

_AHEAD: Final = 60
"""The number of tags to validate ahead of the one whose findings are printed; limits memory."""


def names_registry(source: str) -> bool:
    """Return whether a source is in a registry: it has a prefix such as `docker://`, or a host and is not a file."""
    if source.startswith((DOCKER, *URLS)):
        return True
    if os.path.lexists(source) or is_short_host(source):
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


def is_short_host(source: str) -> bool:
    """Return whether a source is one word and a slash, which is a folder rather than a registry, and does not exist."""
    host = "" if source.startswith((DOCKER, *URLS)) or os.path.lexists(source) else host_alone(source) or ""
    return host != "" and not may_be_host(host)


def findings_in_registry(source: str, settings: Settings) -> Iterator[Finding]:
    """Validate `HOST/REPOSITORY[:TAG|@DIGEST]`, or all of `HOST/`, `HOST:PORT` or the URL of a registry."""
    is_complete = True
    for finding in _registry(source, settings):
        is_complete &= not isinstance(finding, FailedSource)
        yield finding
    if settings.journal is not None and is_complete:
        settings.journal.unfinished -= 1


def _registry(source: str, settings: Settings) -> Iterator[Finding]:
    from dreg_client._sync.client import Client
    from dreg_client.cli.logging import show_log
    from dreg_client.cli.registry_options import given_options
    from dreg_client.credentials.lookup import with_defaults
    from dreg_client.values.store_name import StoreName

    if not settings.quiet:
        show_log()
    options = with_defaults(given_options())
    if source.startswith(URLS) and host_alone(source) is None and is_known(source):
        raise click.UsageError("files are not read over HTTP; download the file, then validate it")
    if host := host_alone(source):
        with closing(Client.open(host, **options)) as client:
            for repository in _catalog(client):
                yield from _repository(client, RepositoryName(repository), None, settings, is_listed=True)
    else:
        reference = Reference.parse(source.removeprefix(DOCKER))
        is_named = StoreName.parse(source).is_named
        tags = (str(reference.digest or reference.tag),) if is_named else None
        with closing(Client.open(reference.registry, **options)) as client:
            yield from _repository(client, reference.repository, tags, settings)


def _catalog(client: "Client") -> tuple[str, ...]:
    """Return all repositories. If the catalog has no end, it is an error before any of them is validated."""
    from dreg_client._sync.lists import iter_catalog
    from dreg_client.protocol.tags_and_catalog import AllNames

    names = AllNames(f"the catalog of {client.registry.name}", "validate its repositories by their names")
    for name in iter_catalog(client):
        names.add(name)
    return names.all()


def _repository(
    client: "Client",
    name: RepositoryName,
    tags: tuple[str, ...] | None,
    settings: Settings,
    *,
    is_listed: bool = False,
) -> Iterator[Finding]:
    """Validate tags or digests of a repository; None means all tags. `is_listed`: whether the catalog lists it."""
    from dreg_client._sync.repository import Repository

    yield from _images(Repository(client, name), f"{client.registry.name}/{name}", tags, settings, is_listed=is_listed)


def _images(
    repository: "Store", place: str, tags: tuple[str, ...] | None, settings: Settings, *, is_listed: bool = False
) -> Iterator[Finding]:
    """Validate tags or digests of a repository, as `_repository`; `place` is its full name."""
    checks = _RepositoryChecks(repository, place, settings)
    try:
        names = repository.tags() if tags is None else tags
    except DregError as failure:
        # Some registries list repositories that have only blobs, and respond with 404 to a request for their tags.
        if not (is_listed and isinstance(failure, NotFoundError)):
            yield FailedSource(place, failure)
        return
    shown = set[str]()  # with a journal, a document has a finding for each image that contains it
    for start in range(0, len(names), _AHEAD):
        for found, *below in map_in_threads(checks.findings, names[start : start + _AHEAD], at_once=3):
            yield found
            for finding in below:
                if finding.source not in shown:
                    yield finding
                if settings.journal is not None:
                    shown.add(finding.source)


class _RepositoryChecks:
    """The checks of the images of a repository. Threads may share it."""

    def __init__(self, repository: "Store", place: str, settings: Settings) -> None:
        self._repository, self._place, self._settings = repository, place, settings
        self._validation = self._new_validation()

    def _new_validation(self) -> "RepositoryValidation":
        from dreg_client._sync.validation import RepositoryValidation

        return RepositoryValidation(self._repository, self._settings.complete, self._settings.pedantic)

    def findings(self, name: str) -> list[Checked | FailedSource]:
        """Return the findings of a tag or digest: first its own, then those of the documents below it."""
        journal, source = self._settings.journal, self._address(name)
        try:
            if journal is None:
                return [*self._validated(self._validation, name)]
            if known := self._known(journal, name):
                return [replace(known[0], source=source), *known[1:]]
            # In the journal, each image has all its findings: an image that shares documents with it may be deleted.
            found = self._validated(self._new_validation(), name)
        except DregError as failure:
            return [FailedSource(source, failure)]
        try:
            journal.add(self._place, found)
        except DregError as failure:
            return [*found, FailedSource(source, failure)]
        return [*found]

    def _known(self, journal: "Journal", name: str) -> list[Checked] | None:
        """Return the findings in the journal for the digest that a tag names now."""
        if not journal.has_any(self._place):
            return None
        try:
            return journal.findings(self._place, str(self._repository.resolve(name).digest))
        except DregError:
            return None  # reading the document tells what is wrong

    def _validated(self, validation: "RepositoryValidation", name: str) -> list[Checked]:
        return [Checked.of(self._address(it.name), it.report) for it in validation.tag(name)]

    def _address(self, name: str) -> str:
        return f"{self._place}{'@' if ':' in name else ':'}{name}"
