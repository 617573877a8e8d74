"""The referrers tag on a real registry that keeps no list of referrers, written by threads and by processes at once."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dreg_client import Descriptor, Digest, Registry
from tests.registries import LAYOUT, ROOT, RunningRegistry

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
