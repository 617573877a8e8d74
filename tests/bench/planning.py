"""Plans of many tags of fewer images, compared with a loop of python-dxf that requests the digest of each tag."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from contest import Target, contest, process, result, within
from tables import QUICK, table, verdict

from dreg_client import AsyncRegistry, plan
from dreg_client.protocol.events import Answered, Event
from tests.registries import RunningRegistry, running

TAGS = 1_000 if QUICK else 10_000
_EACH = 5
"""How many tags an image has."""
_NAME = "bench/plans"
_SMALL = "bench/tenth"
_DXF = "python-dxf, `get_digest` of each tag"
_CONFIG, _MANIFEST = (f"application/vnd.oci.image.{kind}.v1+json" for kind in ("config", "manifest"))
_JOB = """
import sys
from dreg_client import plan
assert plan([sys.argv[1]], plain_http=True).prune("t*", keep_last=10, older_than="14d").make().changes
"""


def tables() -> Iterator[str]:
    """Yield the tables of this suite."""
    with tempfile.TemporaryDirectory() as folder:
        place_images(Path(folder), _NAME, TAGS)
        place_images(Path(folder), _SMALL, TAGS // 10)
        with running(Path(folder)) as own:
            by_age(own, _SMALL)  # what is imported was compiled before
            yield _times(own)
            yield _requests(own)
            yield _memory(own)


def place_images(root: Path, name: str, tags: int) -> None:
    """Write images with several tags each into the storage of a registry that does not run yet; pushing takes long."""
    storage = root / "storage/docker/registry/v2"
    manifests = storage / "repositories" / name / "_manifests"
    layer = _place(storage, name, b"layer")
    for number in range(tags // _EACH):
        made = {"created": f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}T00:00:00Z", "author": str(number)}
        config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}, **made}
        members = {"config": _place(storage, name, json.dumps(config).encode(), _CONFIG), "layers": [layer]}
        raw = json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, **members}).encode()
        digest = _place(storage, name, raw)["digest"]
        _link(manifests / "revisions" / digest.replace(":", "/"), digest)
        for tag in range(number * _EACH, number * _EACH + _EACH):
            _link(manifests / f"tags/t{tag:05}/current", digest)
            _link(manifests / f"tags/t{tag:05}/index" / digest.replace(":", "/"), digest)


def _place(storage: Path, name: str, raw: bytes, media_type: str = "application/vnd.oci.image.layer.v1.tar") -> Any:
    hexadecimal = sha256(raw).hexdigest()
    blob = storage / "blobs/sha256" / hexadecimal[:2] / hexadecimal
    blob.mkdir(parents=True, exist_ok=True)
    (blob / "data").write_bytes(raw)
    _link(storage / "repositories" / name / "_layers/sha256" / hexadecimal, f"sha256:{hexadecimal}")
    return {"mediaType": media_type, "digest": f"sha256:{hexadecimal}", "size": len(raw)}


def _link(folder: Path, digest: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "link").write_text(digest)


def _times(own: RunningRegistry) -> str:
    heads, configs = "digests: `prune`, untag only, threads", "with dates and needs: `prune`, threads"
    heads_async, configs_async = heads.replace("threads", "asyncio"), configs.replace("threads", "asyncio")
    found = contest(
        {
            heads: within(partial(by_version, own, _NAME)),
            heads_async: within(lambda: asyncio.run(_by_version_async(own))),
            configs: within(partial(by_age, own, _NAME)),
            configs_async: within(lambda: asyncio.run(_by_age_async(own))),
            _DXF: within(partial(_dxf, own)),
        },
        rounds=3,
        warm=False,
    )
    targets = {
        **{name: [Target("wall", most=0.5)] for name in (heads, heads_async)},
        **{name: [Target("wall", most=0.8)] for name in (configs, configs_async)},
    }
    title = f"A plan for {TAGS:,} tags of {TAGS // _EACH:,} images, over http, 8 connections"
    return result(title, found, against=_DXF, targets=targets)


def by_version(own: RunningRegistry, name: str, **options: Any) -> None:
    """Plan without dates: only digests are read."""
    made = plan([f"{own.address}/{name}"], **options).prune("t*", by="version", delete=False).make()
    assert made.changes


def by_age(own: RunningRegistry, name: str, **options: Any) -> None:
    """Plan with dates, and with what goes along."""
    made = plan([f"{own.address}/{name}"], **options).prune("t*", keep_last=10, older_than="14d").make()
    assert made.changes


async def _by_version_async(own: RunningRegistry) -> None:
    async with AsyncRegistry(own.url) as registry:
        assert (await registry.repository(_NAME).plan().prune("t*", by="version", delete=False).make()).changes


async def _by_age_async(own: RunningRegistry) -> None:
    async with AsyncRegistry(own.url) as registry:
        assert (await registry.repository(_NAME).plan().prune("t*", keep_last=10, older_than="14d").make()).changes


def _dxf(own: RunningRegistry) -> None:
    from dxf import DXF

    with DXF(own.address, _NAME, insecure=True) as client:
        for number in range(TAGS):
            client.get_digest(f"t{number:05}")


def _requests(own: RunningRegistry) -> str:
    rows: list[list[str]] = []
    for what, planned in (("digests", by_version), ("with dates and needs", by_age)):
        kinds: dict[str, int] = {}

        def count(event: Event, kinds: dict[str, int] = kinds) -> None:
            if isinstance(event, Answered):
                kind = f"{event.method} {event.url.partition(_NAME + '/')[2].partition('/')[0]}"
                kinds[kind] = kinds.get(kind, 0) + 1

        planned(own, _NAME, on_event=count)
        rows.append([what, *(f"{kinds.get(kind, 0):,}" for kind in _KINDS), f"{sum(kinds.values()):,}"])
    return table(f"Requests of a plan for {TAGS:,} tags of {TAGS // _EACH:,} images", ["plan", *_KINDS, "all"], rows)


_KINDS = ("GET tags", "HEAD manifests", "GET manifests", "GET blobs", "GET referrers")


def _memory(own: RunningRegistry) -> str:
    commands = {name: process(sys.executable, "-c", _JOB, f"{own.address}/{name}") for name in (_SMALL, _NAME)}
    found = contest(commands, rounds=3, warm=False)
    peaks = {name: max(turn.peak for turn in turns) for name, turns in found.items() if not isinstance(turns, str)}
    growth = peaks[_NAME] / peaks[_SMALL]
    rows = [
        [
            f"{TAGS // 10:,} and {TAGS:,} tags",
            f"{peaks[_SMALL]:.1f}",
            f"{peaks[_NAME]:.1f}",
            f"{growth:.2f}",
            verdict(growth, most=1.1),
        ]
    ]
    return table("Peak memory of a process that plans `prune`", ["of", "MiB", "MiB", "ratio", "target"], rows)
