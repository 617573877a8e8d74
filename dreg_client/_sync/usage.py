# Generated from dreg_client/_async/usage.py by tools/generate_sync.py. Do not edit.
"""Read how much space the tags of a store use."""

from dreg_client import errors
from dreg_client._sync.store import Store
from dreg_client._sync.sync_stores import address_of
from dreg_client._sync.tag_reader import TagReader
from dreg_client.copying.digest_tags import digest_tag
from dreg_client.tagging.usage import TagReadings, Usage, usage_of


def read_usage(store: Store) -> Usage:
    """Read the manifests and configs of all tags, and their referrers; each is requested once."""
    reader = TagReader(store.source)
    reader.read_digests(reader.names())
    images = {digest for tag, digest in reader.digests.items() if digest_tag(tag) is None}
    reader.read_manifests(reader.digests.values())
    reader.read_facts(images, {"created"})
    reader.read_extent(images)
    failures: dict[str, errors.DregError] = {**reader.unreadable}
    for tag, digest in reader.digests.items():
        if (failure := reader.failure_of(digest)) is not None:
            failures[tag] = failure
    found = TagReadings(reader.readings, reader.digests, not reader.unreadable and reader.protecting() is None)
    return usage_of(address_of(store), found, failures)
