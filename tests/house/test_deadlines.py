"""Each method that may send several requests has the limit of `deadline=`, and costs nothing in memory."""

import inspect
import weakref

import pytest

from dreg_client import AsyncImage, AsyncRegistry, AsyncRepository, Image, Registry, Repository

ALONE = {"close", "get_descriptor"}
"""Methods that send no request."""
ITERATORS = {"catalog", "iter_tags", "stream_blob"}
"""These apply the limit themselves."""
PAIRS = [(AsyncRegistry, Registry), (AsyncRepository, Repository), (AsyncImage, Image)]


@pytest.mark.parametrize(("kind", "sync"), PAIRS, ids=lambda kind: kind.__name__)
def test_each_method_with_requests_is_limited(kind: type, sync: type) -> None:
    for name, method in inspect.getmembers(kind, inspect.iscoroutinefunction):
        if not name.startswith("_") and name not in ALONE | ITERATORS:
            assert hasattr(method, "__wrapped__"), f"{name} lacks @limited"
            assert hasattr(getattr(sync, name), "__wrapped__"), name


def test_a_repository_with_a_deadline_is_as_small_as_one_without() -> None:
    with Registry("localhost:5000") as plain, Registry("localhost:5000", deadline=5) as limited:
        assert vars(plain.repository("acme/web")).keys() == vars(limited.repository("acme/web")).keys()
        assert limited.repository("acme/web") is limited.repository("acme/web")


def test_a_repository_is_freed_at_once() -> None:
    registry = Registry("localhost:5000", deadline=5)
    gone = weakref.ref(registry.repository("acme/web"))
    registry.close()
    del registry

    assert gone() is None, "something refers to itself"
