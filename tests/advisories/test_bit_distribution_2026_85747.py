"""BIT-distribution-2026-85747: distribution

The client library did not verify manifests that were requested by digest.

Everything that is requested by digest is hashed, including the manifests that an index lists.

DLD-07
"""

from inspect import isawaitable
from typing import Any

from dreg_client import errors
from tests.advisories.scenes import asked
from tests.faultserver import Network
from tests.hostile.registry import DIGEST, MANIFEST, MANIFESTS, document, registry_at
from tests.hostile.ways import Way, refused


def test_a_manifest_below_an_index_is_hashed(way: Way, net: Network) -> None:
    other = MANIFEST.replace(b'"size": 1600', b'"size": 1601')
    registry_at(net).on(f"{MANIFESTS}/{DIGEST}", document(other))

    if way.name == "command line":
        outcome = way.command("config", "registry.test/acme/web:all", "--platform", "linux/amd64")
    else:
        outcome = asked(way, _of_a_platform)
    refused(outcome, errors.DigestMismatchError)


def _of_a_platform(repository: Any) -> Any:
    image = repository.get_image("all")
    return _by_task(image) if isawaitable(image) else image.get_platform_image("linux/amd64")


async def _by_task(image: Any) -> Any:
    return await (await image).get_platform_image("linux/amd64")
