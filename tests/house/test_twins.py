"""Threads and tasks meet the same doors: what one class offers, its twin offers, with the same arguments and words."""

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import dreg_client
from dreg_client import AsyncImage, AsyncRegistry, AsyncRepository, AsyncStore, Image, Registry, Repository, Store
from dreg_client._async.store import AsyncStore
from dreg_client._sync.store import Store
from dreg_client.protocol.options import Options, RegistryOptions

PACKAGE = Path(dreg_client.__file__).parent
TWINS = [
    (Registry, AsyncRegistry),
    (Repository, AsyncRepository),
    (Store, AsyncStore),
    (ImageStore, AsyncImageStore),
    (Image, AsyncImage),
]
ONE_SIDED = {"writes_manifests"}
"""Archives that have no manifests of their own are read by threads; see `AsyncLocalStore`."""


def offered(kind: type) -> dict[str, Any]:
    return {name: member for name, member in inspect.getmembers(kind) if not name.startswith("_")}


@pytest.mark.parametrize(("sync", "tasks"), TWINS, ids=lambda kind: kind.__name__)
def test_twins_offer_the_same(sync: type, tasks: type) -> None:
    assert offered(sync).keys() - ONE_SIDED == offered(tasks).keys()


@pytest.mark.parametrize(("sync", "tasks"), TWINS, ids=lambda kind: kind.__name__)
def test_twins_take_the_same(sync: type, tasks: type) -> None:
    for name, member in offered(sync).items():
        if inspect.isfunction(member):
            ours, its = inspect.signature(member), inspect.signature(getattr(tasks, name))
            assert list(ours.parameters) == list(its.parameters), name
            assert [p.default for p in ours.parameters.values()] == [p.default for p in its.parameters.values()], name


@pytest.mark.parametrize(("sync", "tasks"), TWINS, ids=lambda kind: kind.__name__)
def test_what_reads_is_awaited(sync: type, tasks: type) -> None:
    for name, member in offered(sync).items():
        if name in {"repository", "lone_repository", "refresh", "get_image", "build_with_manual_client"} | ONE_SIDED:
            continue
        if inspect.isfunction(member) and name in vars(tasks):
            twin = inspect.unwrap(getattr(tasks, name))
            assert inspect.iscoroutinefunction(twin) or inspect.isasyncgenfunction(twin), name


def test_the_options_of_every_door_are_those_that_are_described() -> None:
    described = {field.name: field.type for field in dataclasses.fields(Options)}
    words = re.findall(r"^        (\w+): ", (inspect.getdoc(Options) and Options.__doc__) or "", re.MULTILINE)

    assert get_type_hints(RegistryOptions).keys() == described.keys()
    assert words == list(described)


def test_one_function_sends() -> None:
    """The one lesson of the advisories: whatever is sent goes through one function, and its twin."""
    ways = re.compile(r"\.way\.open\(|\.send\(request|Client\(")
    onto_the_wire = re.compile(r"\.handle_(?:async_)?request\(|_stream\.write\(")

    assert found_once(ways) == {"sending.py", "async_sending.py"}
    assert found_once(onto_the_wire) == {"kept.py", "async_kept.py", "handed.py", "async_handed.py"}


def found_once(pattern: re.Pattern[str]) -> set[str]:
    """The rooms where a pattern is found; each has it once."""
    found = {path: len(pattern.findall(path.read_text())) for path in PACKAGE.rglob("*.py")}
    assert set(found.values()) <= {0, 1}
    return {path.name for path, count in found.items() if count}
