"""The referrers tag on a real registry that keeps no list of referrers, written by threads and by processes at once."""

import asyncio
import contextvars
import json
import logging
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dreg_client import AsyncRegistry, Descriptor, Digest, Registry, errors
from dreg_client._sync.registry_destination import RegistryDestination
from dreg_client.protocol.content import RawManifest
from dreg_client.values.media_type import OCI_MANIFEST
from tests.registries import EMPTY_INDEX, LAYOUT, ROOT, RunningRegistry

EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": str(Digest.of(b"{}")), "size": 2}
WRITER = """
import sys
from dreg_client import Registry
url, *documents = sys.argv[1:]
with Registry(url) as registry:
    for document in documents:
        registry.repository("acme/web").put_manifest(document.encode())
"""


@pytest.fixture
def registry(own_registry: RunningRegistry) -> RunningRegistry:
    own_registry.push(LAYOUT, "single", "acme/web:1.3")
    own_registry.put_blob("acme/web", b"{}")
    return own_registry


def signatures(subject: Descriptor, *names: str) -> list[str]:
    about = {"mediaType": subject.media_type, "digest": str(subject.digest), "size": subject.size}
    content: dict[str, Any] = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    content |= {"artifactType": "application/x-signature", "config": EMPTY, "layers": [EMPTY], "subject": about}
    return [json.dumps({**content, "annotations": {"name": name}}) for name in names]


def test_dst_28_dst_29_a_referrer_is_listed_until_it_is_deleted(registry: RunningRegistry) -> None:
    with Registry(registry.url) as opened:
        web = opened.repository("acme/web")
        subject = web.resolve("1.3")
        [signature] = signatures(subject, "one")
        written = web.put_manifest(signature.encode())
        [found] = web.referrers(subject, "application/x-signature", verify="strict")
        assert (found.digest, found.annotations) == (written.digest, {"name": "one"})
        web.delete_manifest(written.digest)
        assert web.referrers(subject) == ()


def test_upl_17_no_entry_is_lost_by_threads(registry: RunningRegistry) -> None:
    def write(signature: str) -> Digest:
        with Registry(registry.url) as opened:  # each has connections of its own; the lock is that of the process
            return opened.repository("acme/web").put_manifest(signature.encode()).digest

    with Registry(registry.url) as opened, ThreadPoolExecutor(8) as threads:
        web = opened.repository("acme/web")
        subject = web.resolve("1.3")
        written = set(threads.map(write, signatures(subject, *map(str, range(8)))))
        assert {entry.digest for entry in web.referrers(subject)} == written
    assert len(written) == 8


def test_upl_17_entries_that_others_overwrite_during_a_copy_are_added_again_at_its_end(
    registry: RunningRegistry,
) -> None:
    with Registry(registry.url) as opened:
        web = opened.repository("acme/web")
        subject = web.resolve("1.3")
        medium = web.source
        assert isinstance(medium, RegistryDestination)
        written = [RawManifest(text.encode(), OCI_MANIFEST) for text in signatures(subject, "one", "two")]
        with medium.writing():
            for manifest in written:
                medium.push_manifest(manifest, manifest.digest)
            registry.put("acme/web", str(subject.digest).replace(":", "-"), EMPTY_INDEX)
        assert {each.digest for each in web.referrers(subject)} == {each.digest for each in written}


def test_upl_17_an_entry_that_cannot_be_added_again_does_not_stop_the_check_of_others(
    registry: RunningRegistry,
) -> None:
    with Registry(registry.url) as opened:
        web = opened.repository("acme/web")
        subject = web.resolve("1.3")
        medium = web.source
        assert isinstance(medium, RegistryDestination)
        gone, kept = [RawManifest(text.encode(), OCI_MANIFEST) for text in signatures(subject, "one", "two")]
        block = medium.writing()
        contextvars.copy_context().run(block.__enter__)
        block.__exit__(None, None, None)  # in another context than it was entered

        def write() -> None:
            with medium.writing():
                for manifest in (gone, kept):
                    medium.push_manifest(manifest, manifest.digest)
                registry.put("acme/web", str(subject.digest).replace(":", "-"), EMPTY_INDEX)
                delete_by_another_tool(registry, gone.digest)

        with pytest.raises(errors.DregError, match=str(gone.digest)):
            write()
        assert [each.digest for each in web.referrers(subject)] == [kept.digest]


def test_upl_17_no_entry_is_lost_by_processes(registry: RunningRegistry) -> None:
    with Registry(registry.url) as opened:
        web = opened.repository("acme/web")
        subject = web.resolve("1.3")
        of_each = [signatures(subject, f"{number} one", f"{number} two") for number in range(6)]
        command = [sys.executable, "-c", WRITER, registry.url]
        writers = [subprocess.Popen([*command, *documents], cwd=ROOT) for documents in of_each]
        assert [writer.wait(120) for writer in writers] == [0] * 6
        written = {Digest.of(document.encode()) for documents in of_each for document in documents}
        assert {entry.digest for entry in web.referrers(subject)} == written


# --- deletions: this registry refuses a list that names what it does not have


def pushed(registry: RunningRegistry, *names: str) -> tuple[Descriptor, list[Digest]]:
    """Push referrers of a manifest; return the manifest and their digests."""
    with Registry(registry.url) as opened:
        web = opened.repository("acme/web")
        subject = web.resolve("1.3")
        return subject, [web.put_manifest(text.encode()).digest for text in signatures(subject, *names)]


def delete_by_another_tool(registry: RunningRegistry, digest: Digest) -> None:
    url = f"{registry.url}/v2/acme/web/manifests/{digest}"
    urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=30).close()  # noqa: S310 (our own)


def listed(registry: RunningRegistry, subject: Descriptor) -> list[Digest]:
    with Registry(registry.url) as opened:
        return [entry.digest for entry in opened.repository("acme/web").referrers(subject)]


def test_dst_29_threads_that_delete_side_by_side_leave_no_entry(registry: RunningRegistry) -> None:
    subject, written = pushed(registry, *"abcdef")

    def delete(digest: Digest) -> None:
        with Registry(registry.url) as opened:
            opened.repository("acme/web").delete_manifest(digest)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(delete, written[:4]))
    assert listed(registry, subject) == written[4:]


def test_dst_29_tasks_that_delete_side_by_side_leave_no_entry(registry: RunningRegistry) -> None:
    subject, written = pushed(registry, *"abcdef")

    async def delete_all() -> None:
        async with AsyncRegistry(registry.url) as opened:
            web = opened.repository("acme/web")
            await asyncio.gather(*map(web.delete_manifest, written))

    asyncio.run(delete_all())
    assert listed(registry, subject) == []


def test_dst_29_commands_that_delete_side_by_side_leave_no_entry(registry: RunningRegistry) -> None:
    subject, written = pushed(registry, *"abcd")
    web = f"{registry.address}/acme/web"
    command = [sys.executable, "-m", "dreg_client.cli", "delete"]
    deleting = [subprocess.Popen([*command, f"{web}@{digest}"], cwd=ROOT) for digest in written[:3]]

    assert [process.wait(120) for process in deleting] == [0] * 3
    assert listed(registry, subject) == written[3:]


@pytest.mark.parametrize("deleted", [[0], [1], [0, 1, 2]])
def test_dst_28_what_another_tool_deleted_blocks_no_addition(
    registry: RunningRegistry, deleted: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    subject, written = pushed(registry, *"abc")
    for number in deleted:
        delete_by_another_tool(registry, written[number])
    with caplog.at_level(logging.WARNING, "dreg_client"):
        _, [added] = pushed(registry, "new")

    kept = [digest for number, digest in enumerate(written) if number not in deleted]
    assert listed(registry, subject) == [*kept, added]
    assert all(written[number] in caplog.text for number in deleted)
    assert not any(digest in caplog.text for digest in kept)


def test_dst_29_what_another_tool_deleted_blocks_no_removal(registry: RunningRegistry) -> None:
    subject, written = pushed(registry, *"abc")
    delete_by_another_tool(registry, written[0])
    with Registry(registry.url) as opened:
        opened.repository("acme/web").delete_manifest(written[1])

    assert listed(registry, subject) == written[2:]
