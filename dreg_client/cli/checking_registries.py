"""What `dreg validate` is given of a registry: a tag, a repository, or all that the catalog has."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from dreg_client.cli.fan_out import side_by_side
from dreg_client.cli.registry_names import DOCKER, URLS, host_alone
from dreg_client.cli.results import Checked, Finding, Unread
from dreg_client.errors import DregError, InvalidReferenceError
from dreg_client.errors.problems import Problem, Severity
from dreg_client.values.docker_hub import DOCKER_HUB
from dreg_client.values.reference import Reference

if TYPE_CHECKING:
    from dreg_client._sync.registry import Registry
    from dreg_client._sync.repository import Repository

_SIDE_BY_SIDE: Final = 3


def names_registry(source: str) -> bool:
    """Whether a source names something in a registry: by its prefix, or, where it is no file, by its host."""
    if source.startswith((DOCKER, *URLS)):
        return True
    return not Path(source).exists() and (host_alone(source) is not None or _is_elsewhere(source))


def _is_elsewhere(source: str) -> bool:
    first = source.partition("/")[0]
    try:
        return Reference.parse(source).registry != DOCKER_HUB or (first != source and "." in first)
    except InvalidReferenceError:
        return False


def check_registry(source: str, *, complete: bool, pedantic: bool, journal: str | None) -> Iterator[Finding]:
    """Validate what a source names; what cannot be read is among the findings.

    Args:
        source: `HOST/REPOSITORY[:TAG|@DIGEST]`, `HOST/`, `HOST:PORT` or the URL of a registry.
        complete: Whether blobs must be there, too.
        pedantic: Whether notes are reported.
        journal: A file that remembers what is done, so that an interrupted run goes on; removed at the end.
    """
    from dreg_client._sync.registry import Registry
    from dreg_client.cli.registry_options import given
    from dreg_client.credentials.defaults import with_defaults

    host = host_alone(source)
    reference = None if host else Reference.parse(source.removeprefix(DOCKER))
    done = _Journal(journal)
    with Registry(host or cast("Reference", reference).registry, **with_defaults(given())) as registry:
        for repository, tags in _asked(registry, reference, source):
            yield from _repository(registry, repository, tags, done, complete=complete, pedantic=pedantic)
    done.finish()


def _asked(
    registry: "Registry", reference: Reference | None, source: str
) -> "Iterator[tuple[Repository, tuple[str, ...] | None]]":
    if reference is None:
        for name in registry.catalog():
            yield registry.repository(name), None
        return
    repository = registry.repository(reference.repository)
    named = "@" in source or ":" in source.removeprefix(DOCKER).rpartition("/")[2]
    yield repository, (str(reference.digest or reference.tag),) if named else None


def _repository(
    registry: "Registry",
    repository: "Repository",
    tags: tuple[str, ...] | None,
    done: "_Journal",
    *,
    complete: bool,
    pedantic: bool,
) -> Iterator[Finding]:
    from dreg_client._sync.validation import RepositoryValidation

    place = f"{registry.name}/{repository.name}"
    validation = RepositoryValidation(repository, complete, pedantic)
    try:
        names = repository.tags() if tags is None else tags
    except DregError as failure:
        yield Unread(place, failure)
        return

    def look(name: str) -> list[Finding]:
        source = _named(place, name)
        if (known := done.known(source)) is not None:
            return known
        try:
            found: list[Finding] = [Checked.of(_named(place, it.name), it.report) for it in validation.tag(name)]
        except DregError as failure:
            return [Unread(source, failure)]
        done.remember(source, found)
        return found

    for findings in side_by_side(names, look, _SIDE_BY_SIDE):
        yield from findings


def _named(place: str, name: str) -> str:
    return f"{place}{'@' if ':' in name else ':'}{name}"


class _Journal:
    """What is done, a line of JSON a tag; a line that an interruption cut short counts for nothing."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None
        self._done: dict[str, list[Finding]] = {}
        if self._path and self._path.exists():
            for line in self._path.read_text("utf-8", "replace").splitlines():
                with suppress(ValueError, KeyError, TypeError):
                    self._take(json.loads(line))

    def _take(self, entry: dict[str, Any]) -> None:
        self._done[entry["tag"]] = [_finding(found) for found in entry["findings"]]

    def known(self, source: str) -> list[Finding] | None:
        """What an earlier run found, None where it did not come so far."""
        return self._done.get(source)

    def remember(self, source: str, findings: list[Finding]) -> None:
        """Write what was found of a tag."""
        if self._path is None:
            return
        entry = {"tag": source, "findings": [_plain(found) for found in findings if isinstance(found, Checked)]}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def finish(self) -> None:
        """Nothing is left to go on with."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _plain(found: Checked) -> dict[str, Any]:
    problems = [problem.plain() for problem in found.problems]
    return {
        "source": found.source,
        "kind": found.kind,
        "digest": found.digest,
        "size": found.size,
        "problems": problems,
    }


def _finding(entry: dict[str, Any]) -> Checked:
    problems = tuple(_problem(problem) for problem in entry["problems"])
    return Checked(entry["source"], 0, entry["kind"], entry["digest"], entry["size"], problems)


def _problem(entry: dict[str, str]) -> Problem:
    facts = (entry[name] for name in ("path", "found", "expected", "clause"))
    return Problem(entry["rule"], Severity(entry["severity"]), *facts)
