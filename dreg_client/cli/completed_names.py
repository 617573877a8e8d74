"""Completions for shells: names of stores, files, repositories and tags, ids of rules."""

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from dreg_client.cli.registry_options import given_options
from dreg_client.values.registry_name import STORE_KINDS

if TYPE_CHECKING:
    from dreg_client._sync.client import Client

PARTIAL: Final = "partial"
"""The type of a completion that more text follows, so that shells add no space."""
_MOST: Final = 500
_MAX_INDEX: Final = 4 * 1024 * 1024
_TIMEOUT: Final = 2.0


def store_names(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Complete the kinds of stores; then paths and the tags of a layout, or repositories and tags of a registry."""
    kind = next((kind for kind in STORE_KINDS if incomplete.startswith(kind)), None)
    if kind is None and "/" in incomplete:
        return _in_registry(ctx, incomplete)
    if kind is None:
        return [CompletionItem(kind, type=PARTIAL) for kind in STORE_KINDS if kind.startswith(incomplete)]
    path = incomplete.removeprefix(kind)
    if kind == "registry-storage:":
        return _with_prefix(kind, [*_in_storage(path)][:_MOST])
    if kind != "oci:":
        return _with_prefix(kind, files(path, expand_home=False))
    return _with_prefix(kind, [*_layout_tags(path), *_folders(path)][:_MOST])


def files(incomplete: str, *, expand_home: bool = True) -> list[CompletionItem]:
    """Complete the files and folders in a folder."""
    found = _entries(incomplete, expand_home=expand_home)
    return [
        CompletionItem(f"{name}/", type=PARTIAL) if path.is_dir() else CompletionItem(name) for name, path in found
    ][:_MOST]


def rule_ids(incomplete: str) -> list[CompletionItem]:
    """Complete the ids of rules, without importing the models."""
    import tomllib
    from importlib.resources import files as resources

    found: dict[str, str] = {}
    for file in (resources("dreg_client") / "schemagen" / "rules").iterdir():
        if file.name.upper().startswith(incomplete.upper()[:3]) and file.name.endswith(".toml"):
            rules = tomllib.loads(file.read_text("utf-8"))
            found |= {name: rule["title"] for name, rule in rules.items() if isinstance(rule, dict)}
    return [CompletionItem(name, help=found[name]) for name in sorted(found) if name.startswith(incomplete.upper())]


def _in_registry(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Complete `HOST/...` to repositories, and `HOST/REPOSITORY:...` to tags; nothing if the registry fails."""
    host, _, rest = incomplete.partition("/")
    if not (":" in rest or set(".:") & set(host.strip(".")) or host == "localhost"):
        return []  # a path, or a name on Docker Hub, which has no list of repositories
    names = _tags if ":" in rest else _repositories
    found: list[CompletionItem] = []

    def collect() -> None:
        with suppress(Exception):  # a shell cannot show what went wrong
            found.extend(islice(names(ctx, incomplete), _MOST))

    # The timeout of requests does not limit many pages, or a credential helper.
    listing = Thread(target=collect, daemon=True)
    listing.start()
    listing.join(_TIMEOUT)
    return [*found]


def _repositories(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    from dreg_client._sync.lists import iter_catalog

    host, _, start = incomplete.partition("/")
    with _client(ctx, host) as client:
        for name in iter_catalog(client):
            if name.startswith(start):
                yield CompletionItem(f"{host}/{name}", type=PARTIAL)


def _tags(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    from dreg_client._sync.lists import iter_tags
    from dreg_client.values.reference import Reference

    name, _, start = incomplete.rpartition(":")
    reference = Reference.parse(name)
    with _client(ctx, reference.registry) as client:
        for tag in iter_tags(client, reference.repository):
            if tag.startswith(start):
                yield CompletionItem(f"{name}:{tag}")


def _client(ctx: click.Context, registry: str) -> "closing[Client]":
    from dreg_client._sync.client import Client
    from dreg_client.credentials.lookup import with_defaults

    options = given_options(ctx, reads_input=False) | {"timeout": _TIMEOUT, "retries": 0}
    return closing(Client.open(registry, **with_defaults(options)))


def _with_prefix(prefix: str, items: list[CompletionItem]) -> list[CompletionItem]:
    return [CompletionItem(prefix + item.value, type=item.type) for item in items]


def _layout_tags(text: str) -> Iterator[CompletionItem]:
    """Complete `PATH` of a layout to `PATH:TAG`, and `PATH:START` to the tags that begin so."""
    path, colon, start = text, "", ""
    while not _is_layout(path):  # a path and a name may both have colons
        path, colon, last = path.rpartition(":")
        start = f"{last}:{start}" if start else last
        if not colon:
            return
    for name in _names_in(Path(path)):
        if name.startswith(start):
            yield CompletionItem(f"{path}:{name}")


def _in_storage(text: str) -> Iterator[CompletionItem]:
    """Complete a path to folders; below a storage, to repositories and, after a colon, to tags."""
    from dreg_client.errors import DregError
    from dreg_client.values.source_url import is_source_url

    if is_source_url(text):  # a shell cannot wait for a remote file system
        return
    found: list[CompletionItem] = []
    with suppress(DregError):
        found = [*islice(_names_in_storage(text), _MOST)]
    yield from found or (CompletionItem(f"{name}/", type=PARTIAL) for name, path in _entries(text) if path.is_dir())


def _names_in_storage(text: str) -> Iterator[CompletionItem]:
    from dreg_client.files.registry_storage import open_storage
    from dreg_client.files.store_path import storage_in
    from dreg_client.values.reference import RepositoryName, is_repository_name

    end = storage_in(text)
    if end is None:
        return
    path, tree = text[:end].rstrip("/"), open_storage(text[:end])
    repository, colon, start = text[end:].lstrip("/").partition(":")
    if colon and is_repository_name(repository):
        tags = tree.tags(RepositoryName(repository))
        yield from (CompletionItem(f"{path}/{repository}:{tag}") for tag in tags if tag.startswith(start))
    elif not colon:
        names = filter(lambda name: name.startswith(repository), tree.repositories())
        yield from (CompletionItem(f"{path}/{name}", type=PARTIAL) for name in names)


def _names_in(layout: Path) -> Iterator[str]:
    """Return the names in the index of a layout; none if it cannot be read."""
    import json

    from dreg_client.errors import FileError
    from dreg_client.files.regular import open_regular
    from dreg_client.values.json_values import has_too_many_values

    with suppress(FileError, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        with open_regular(layout / "index.json") as file:
            raw = file.read(_MAX_INDEX)
        index: Any = {"manifests": []} if has_too_many_values(raw) else json.loads(raw)
        for entry in index["manifests"]:
            annotations: dict[str, Any] = entry.get("annotations") or {}
            name = annotations.get("org.opencontainers.image.ref.name")
            if isinstance(name, str) and name.isprintable():
                yield name


def _folders(text: str) -> Iterator[CompletionItem]:
    for name, path in _entries(text, expand_home=False):
        if path.is_dir():
            yield CompletionItem(name if _is_layout(name) else f"{name}/", type=PARTIAL)


def _entries(text: str, *, expand_home: bool = False) -> Iterator[tuple[str, Path]]:
    """Yield the names in a folder that begin with a text, as the text writes them, with their paths."""
    folder, slash, start = text.rpartition("/")
    place = Path((folder or slash) or ".")
    with suppress(OSError, ValueError, RuntimeError):
        for name in sorted(os.listdir(place.expanduser() if expand_home else place)):  # noqa: PTH208 (names, not paths)
            if name.startswith(start) and (start or not name.startswith(".")) and name.isprintable():
                yield f"{folder}{slash}{name}", (place.expanduser() if expand_home else place) / name


def _is_layout(path: str) -> bool:
    with suppress(OSError, ValueError):
        return bool(path) and (Path(path) / "index.json").is_file()
    return False
