"""Read how much space the tags of a store use."""

from dreg_client import errors
from dreg_client._async.store import AsyncStore
from dreg_client._async.sync_stores import address_of
from dreg_client._async.tag_reader import AsyncTagReader
from dreg_client.copying.digest_tags import digest_tag
from dreg_client.tagging.usage import TagReadings, Usage, usage_of


async def read_usage(store: AsyncStore) -> Usage:
    """Read the manifests and configs of all tags, and their referrers; each is requested once."""
    reader = AsyncTagReader(store.source)
    await reader.read_digests(await reader.names())
    images = {digest for tag, digest in reader.digests.items() if digest_tag(tag) is None}
    await reader.read_manifests(reader.digests.values())
    await reader.read_facts(images, {"created"})
    await reader.read_extent(images)
    failures: dict[str, errors.DregError] = {**reader.unreadable}
    for tag, digest in reader.digests.items():
        if (failure := reader.failure_of(digest)) is not None:
            failures[tag] = failure
    found = TagReadings(reader.readings, reader.digests, not reader.unreadable and reader.protecting() is None)
    return usage_of(address_of(store), found, failures)
