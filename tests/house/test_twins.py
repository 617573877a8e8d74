"""Sync and async code offer the same: the sync code is generated, what differs is in the pair of `_compat` modules."""

import dataclasses
import inspect
import re
from typing import Any, get_type_hints

import pytest

from dreg_client import (
    AsyncHTTPTransport,
    AsyncImage,
    AsyncLayout,
    AsyncRegistry,
    AsyncRepository,
    AsyncStore,
    AsyncTagPlanner,
    AsyncWritableStore,
    HTTPTransport,
    Image,
    Layout,
    Registry,
    Repository,
    Store,
    TagPlanner,
    WritableStore,
)
from dreg_client._async import _compat as async_compat
from dreg_client._sync import _compat as sync_compat
from dreg_client.protocol.options import Options, RegistryOptions

PAIRS = [
    (Registry, AsyncRegistry),
    (Repository, AsyncRepository),
    (Store, AsyncStore),
    (Layout, AsyncLayout),
    (WritableStore, AsyncWritableStore),
    (Image, AsyncImage),
]
COLLECTING = (TagPlanner, AsyncTagPlanner)
NOTHING_IS_READ = {"plan", "repository", "refresh", "build_with_manual_client"}
OPENED_BY_ASYNC_WITH = {"stream_blob", "writing"}


def offered(kind: type) -> dict[str, Any]:
    return {name: member for name, member in inspect.getmembers(kind) if not name.startswith("_")}


@pytest.mark.parametrize(("sync", "asynchronous"), [*PAIRS, COLLECTING], ids=lambda kind: kind.__name__)
def test_both_offer_the_same(sync: type, asynchronous: type) -> None:
    assert offered(sync).keys() == offered(asynchronous).keys()


@pytest.mark.parametrize(("sync", "asynchronous"), [*PAIRS, COLLECTING], ids=lambda kind: kind.__name__)
def test_both_take_the_same(sync: type, asynchronous: type) -> None:
    for name, member in offered(sync).items():
        if inspect.isfunction(member):
            ours, its = inspect.signature(member), inspect.signature(getattr(asynchronous, name))
            assert list(ours.parameters) == list(its.parameters), name
            assert [p.default for p in ours.parameters.values()] == [p.default for p in its.parameters.values()], name


@pytest.mark.parametrize(("sync", "asynchronous"), PAIRS, ids=lambda kind: kind.__name__)
def test_what_reads_is_awaited(sync: type, asynchronous: type) -> None:
    for name, member in offered(sync).items():
        if name not in NOTHING_IS_READ and inspect.isfunction(member):
            other = getattr(asynchronous, name)
            is_awaited = inspect.iscoroutinefunction(other) or inspect.isasyncgenfunction(other)
            assert is_awaited or name in OPENED_BY_ASYNC_WITH, name


def test_the_transports_offer_what_httpx_calls() -> None:
    assert callable(HTTPTransport.handle_request)
    assert inspect.iscoroutinefunction(AsyncHTTPTransport.handle_async_request)


def test_the_pair_of_hand_written_modules_has_the_same_names() -> None:
    def names(module: Any) -> set[str]:
        own = {name for name, member in vars(module).items() if getattr(member, "__module__", "") == module.__name__}
        return {name for name in own if not name.startswith("_")}

    assert names(async_compat) - {*vars(sync_compat)} == set()


def test_the_options_of_a_registry_are_those_that_are_described() -> None:
    described = {field.name: field.type for field in dataclasses.fields(Options)}
    attributes = (Options.__doc__ or "").partition("Raises:")[0]
    words = re.findall(r"^        (\w+): ", attributes, re.MULTILINE)

    assert get_type_hints(RegistryOptions).keys() == described.keys()
    assert words == list(described)
