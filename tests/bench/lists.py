"""Long lists: 10,000 tags and 10,000 repositories, with and without pages, compared with other libraries."""

import asyncio
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from contest import Target, contest, process, result, within
from served import server
from tables import QUICK

from dreg_client import Registry

_ENTRIES = 2_000 if QUICK else 10_000
_PAGE = 1000
_NAME = "bench/list"
_CLIENTS = Path(__file__).parent / "clients.py"
_OURS, _DXF, _ORAS, _AIOREGISTRY = "`iter_tags`, `catalog`", "python-dxf", "oras", "aioregistry"


def tables() -> Iterator[str]:
    """Yield the tables of this suite."""
    with server("paging_server.py", str(_ENTRIES), str(_PAGE)) as address:
        ours, theirs = (
            partial(_our_tags, address),
            {_DXF: partial(_dxf_tags, address), _ORAS: partial(_oras_tags, address)},
        )
        yield _compared(f"{_ENTRIES:,} tags in pages of {_PAGE:,}", address, ours, theirs)
        ours, theirs = partial(_our_catalog, address), {_DXF: partial(_dxf_catalog, address)}
        yield _compared(f"{_ENTRIES:,} repositories in pages of {_PAGE:,}", address, ours, theirs)
    with server("paging_server.py", str(_ENTRIES), str(_ENTRIES)) as address:
        tags = {_ORAS: partial(_oras_tags, address), _AIOREGISTRY: partial(_aioregistry, address, tags=True)}
        yield _compared(f"{_ENTRIES:,} tags in one response", address, partial(_our_tags, address), tags)
        catalog = {_AIOREGISTRY: partial(_aioregistry, address, tags=False)}
        yield _compared(f"{_ENTRIES:,} repositories in one response", address, partial(_our_catalog, address), catalog)
    yield _memory()


def _compared(title: str, address: str, ours: Callable[[], None], theirs: Mapping[str, Callable[[], None]]) -> str:
    """Compare dreg-client with other libraries that request the same from the same server."""
    found = contest({name: within(call) for name, call in {_OURS: ours, **theirs}.items()}, rounds=15)
    requests = [f"{name} {_requests(address, call)}" for name, call in {_OURS: ours, **theirs}.items()]
    # In one answer, only who reads no pages is a measure; the others were met in pages.
    measures = [peer for peer in theirs if _AIOREGISTRY not in theirs or peer == _AIOREGISTRY]
    targets = {_OURS: [Target("wall", most=1, against=peer) for peer in measures]}
    return result(title, found, against=next(iter(theirs)), targets=targets, remark=f"Requests: {', '.join(requests)}.")


def _requests(address: str, call: Callable[[], object]) -> int:
    """Return the number of requests of a call, counted by the server."""
    _asked(address)
    with suppress(Exception):  # whoever failed said so in the contest
        call()
    return _asked(address)


def _asked(address: str) -> int:
    with urllib.request.urlopen(f"http://{address}/asked", timeout=30) as answer:
        return int(answer.read())


def _complete(entries: Any) -> None:
    found = len(list(entries))
    assert found == _ENTRIES, f"{found} of {_ENTRIES} entries"


def _our_tags(address: str) -> None:
    with Registry(f"http://{address}") as registry:
        _complete(registry.repository(_NAME).iter_tags())


def _our_catalog(address: str) -> None:
    with Registry(f"http://{address}") as registry:
        _complete(registry.catalog())


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


def _aioregistry(address: str, *, tags: bool) -> None:
    asyncio.run(_by_aioregistry(address, tags=tags))


async def _by_aioregistry(address: str, *, tags: bool) -> None:
    from aioregistry.client import AsyncRegistryClient
    from aioregistry.models import Registry as TheirRegistry

    host, _, port = address.partition(":")
    registry = TheirRegistry(host=host, port=int(port), prot="http")
    async with AsyncRegistryClient(default_registry=registry) as client:
        found = client.registry_repo_tags(registry, _NAME.split("/")) if tags else client.registry_repos(registry)
        _complete(await found)


def _memory() -> str:
    few, many = f"{_ENTRIES:,} tags", f"{10 * _ENTRIES:,} tags"
    with (
        server("paging_server.py", str(_ENTRIES), str(_PAGE)) as small,
        server("paging_server.py", str(10 * _ENTRIES), str(_PAGE)) as large,
    ):
        job = (sys.executable, _CLIENTS, "dreg_tags")
        sizes = {few: process(*job, f"http://{small}"), many: process(*job, f"http://{large}")}
        found = contest(sizes, rounds=3)
    targets = {many: [Target("peak", most=1.1, against=few)]}
    return result("`iter_tags`, whole processes: memory does not grow", found, against=few, targets=targets)
