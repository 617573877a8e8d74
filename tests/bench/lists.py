"""Long lists: 10,000 tags and 10,000 repositories, in pages and at once; beside python-dxf, oras and aioregistry."""

import asyncio
import sys
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from contest import Found, Target, contest, process, result, within
from served import server
from tables import QUICK

from dreg_client import Registry

_ENTRIES = 2_000 if QUICK else 10_000
_PAGE = 1000
_NAME = "bench/list"
_CLIENTS = Path(__file__).parent / "clients.py"
_DXF = "python-dxf, in pages of 1,000"
_ORAS, _AIOREGISTRY = "oras, one answer", "aioregistry, one answer"
_PAGED, _WHOLE = "in pages of 1,000", "one answer"


def tables() -> Iterator[str]:
    """All tables of this suite."""
    with server("paging_server.py", str(_ENTRIES)) as address:
        yield _tags(address)
        yield _catalog(address)
    yield _memory()


def _tags(address: str) -> str:
    paged, whole = partial(_our_tags, address, _PAGE), partial(_our_tags, address, None)
    dxf = partial(_dxf_tags, address)
    found = contest(
        {
            _PAGED: within(paged),
            _WHOLE: within(whole),
            _DXF: within(dxf),
            _ORAS: within(partial(_oras_tags, address)),
            _AIOREGISTRY: within(lambda: asyncio.run(_aioregistry(address, tags=True))),
        },
        rounds=9,
    )
    return _result("tags", found, _requests(address, paged), (_DXF,), (_ORAS, _AIOREGISTRY))


def _catalog(address: str) -> str:
    paged, whole = partial(_our_catalog, address, _PAGE), partial(_our_catalog, address, None)
    found = contest(
        {
            _PAGED: within(paged),
            _WHOLE: within(whole),
            _DXF: within(partial(_dxf_catalog, address)),
            _AIOREGISTRY: within(lambda: asyncio.run(_aioregistry(address, tags=False))),
        },
        rounds=9,
    )
    return _result("repositories", found, _requests(address, paged), (_DXF,), (_AIOREGISTRY,))


def _result(what: str, found: Found, requests: int, paged: tuple[str, ...], whole: tuple[str, ...]) -> str:
    targets = {
        _PAGED: [Target("wall", most=1, against=peer) for peer in paged],
        _WHOLE: [Target("wall", most=1, against=peer) for peer in whole],
    }
    pages = _ENTRIES // _PAGE
    remark = (
        f"In pages, {requests} requests were counted for {pages} pages: {'met' if requests == pages else 'MISSED'}."
    )
    return result(f"{_ENTRIES:,} {what}", found, against=_DXF, targets=targets, remark=remark)


def _requests(address: str, call: Callable[[], object]) -> int:
    """How many requests a call makes, as the server counts them."""
    _asked(address)
    call()
    return _asked(address)


def _asked(address: str) -> int:
    with urllib.request.urlopen(f"http://{address}/asked", timeout=30) as answer:
        return int(answer.read())


def _complete(entries: Any) -> None:
    found = len(list(entries))
    assert found == _ENTRIES, f"{found} of {_ENTRIES} entries"


def _our_tags(address: str, n: int | None) -> None:
    with Registry(f"http://{address}") as registry:
        _complete(registry.repository(_NAME).iter_tags(n=n))


def _our_catalog(address: str, n: int | None) -> None:
    with Registry(f"http://{address}") as registry:
        _complete(registry.catalog(n=n))


def _dxf_tags(address: str) -> None:
    from dxf import DXF

    with DXF(address, _NAME, insecure=True) as client:
        _complete(client.list_aliases(batch_size=_PAGE, iterate=True))


def _dxf_catalog(address: str) -> None:
    from dxf import DXFBase

    with DXFBase(address, insecure=True) as client:
        _complete(client.list_repos(batch_size=_PAGE, iterate=True))


def _oras_tags(address: str) -> None:
    from oras.client import OrasClient

    _complete(OrasClient(hostname=address, insecure=True).get_tags(f"{address}/{_NAME}"))


async def _aioregistry(address: str, *, tags: bool) -> None:
    from aioregistry.client import AsyncRegistryClient
    from aioregistry.models import Registry as TheirRegistry

    host, _, port = address.partition(":")
    registry = TheirRegistry(host=host, port=int(port), prot="http")
    async with AsyncRegistryClient(default_registry=registry) as client:
        _complete(
            await (client.registry_repo_tags(registry, _NAME.split("/")) if tags else client.registry_repos(registry))
        )


def _memory() -> str:
    few, many = f"{_ENTRIES:,} tags", f"{10 * _ENTRIES:,} tags"
    with server("paging_server.py", str(_ENTRIES)) as small, server("paging_server.py", str(10 * _ENTRIES)) as large:
        job = (sys.executable, _CLIENTS, "dreg_tags")
        found = contest(
            {few: process(*job, f"http://{small}", str(_PAGE)), many: process(*job, f"http://{large}", str(_PAGE))},
            rounds=3,
        )
    targets = {many: [Target("peak", most=1.1, against=few)]}
    return result("`iter_tags`, whole processes: memory does not grow", found, against=few, targets=targets)
