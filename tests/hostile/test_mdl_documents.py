"""Documents that two parsers may read differently, or that lead elsewhere: from a registry, from a layout, as bytes."""

import asyncio
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from dreg_client import aopen_store, errors, parse_document, validate
from tests.faultserver import Network
from tests.hostile.downloads import held
from tests.hostile.evil import ROWS, TYPED, Written, type_of
from tests.hostile.registry import MANIFESTS, document, registry_at
from tests.hostile.ways import Way, refused

Rows = pytest.mark.parametrize(("raw", "error"), ROWS.values(), ids=ROWS)
Typed = pytest.mark.parametrize(("raw", "error"), TYPED.values(), ids=TYPED)


@Rows
def test_mdl_01_to_mdl_14_a_registry_s_document_that_is_none_is_refused(
    library_way: Way, net: Network, raw: bytes, error: type[errors.DregError]
) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/bad", document(raw, type_of(raw)))

    for outcome in (library_way.manifest("bad"), library_way.config("bad")):
        refused(outcome, error)
        assert len(outcome.text) < 2000
    assert set(registry.asked) == {f"GET {MANIFESTS}/bad"}


@Typed
def test_mdl_01_to_mdl_14_the_command_line_prints_nothing_of_it(
    net: Network, tmp_path: Path, raw: bytes, error: type[errors.DregError]
) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/bad", document(raw, type_of(raw)))

    done = refused(Way("command line", net).config("bad"), error)
    assert (done.exit_code, done.value) == (1, b"")
    assert set(registry.asked) == {f"GET {MANIFESTS}/bad"}
    assert not {name for name in held(tmp_path) if not name.startswith("net")}


@Rows
def test_mdl_01_to_mdl_14_a_document_that_is_none_is_never_written(
    library_way: Way, net: Network, raw: bytes, error: type[errors.DregError]
) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/bad", document(raw, type_of(raw)))
    media_type = type_of(raw)

    refused(library_way.ask(lambda it: it.put_manifest(raw, "new", media_type=media_type)), error)
    refused(library_way.tag("bad", "new"), error)
    assert not [heard for heard in registry.requests if heard.method != "GET"]


@Rows
def test_mdl_01_to_mdl_14_a_layout_s_document_that_is_none_is_refused(
    tmp_path: Path, raw: bytes, error: type[errors.DregError]
) -> None:
    layout = Written(tmp_path / "layout").hold(raw, type_of(raw))
    before = held(tmp_path)

    async def by_tasks() -> None:
        async with aopen_store(f"oci:{layout.path}") as opened:
            await opened.get_manifest("bad")

    refused(layout.ask(Way("threads", Network(tmp_path)), lambda it: it.get_manifest("bad"), ""), error)
    with pytest.raises(error):
        asyncio.run(by_tasks())
    assert held(tmp_path) == before


@Typed
def test_mdl_01_to_mdl_14_the_command_line_prints_nothing_of_a_layout_s_either(
    net: Network, tmp_path: Path, raw: bytes, error: type[errors.DregError]
) -> None:
    layout = Written(tmp_path / "layout").hold(raw, type_of(raw))

    done = refused(layout.ask(Way("command line", net), Any, "config"), error)
    assert (done.exit_code, done.value) == (1, b"")


@Rows
def test_mdl_01_to_mdl_14_bytes_that_are_no_document_are_refused(raw: bytes, error: type[errors.DregError]) -> None:
    with pytest.raises(error):
        parse_document(raw, type_of(raw))
    assert not validate(raw, media_type=type_of(raw)).ok


def test_mdl_11_depth_takes_no_stack_and_little_memory(library_way: Way, net: Network) -> None:
    raw = b"[" * 200_000
    registry_at(net).on(f"{MANIFESTS}/bad", document(raw))

    tracemalloc.start()
    refused(library_way.manifest("bad"), errors.InvalidDocumentError)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 << 20
