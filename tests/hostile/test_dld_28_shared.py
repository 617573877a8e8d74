"""An index that names one manifest under very many platforms: DLD-28."""

import json

from dreg_client import Digest
from tests.faultserver import Network
from tests.hostile.registry import CONFIG, MANIFEST, MANIFESTS, OCI_INDEX, OCI_MANIFEST, document, registry_at
from tests.hostile.ways import Way
from tests.http.documents import described

MANY = 200


def index() -> bytes:
    shared = described(MANIFEST, OCI_MANIFEST)
    entries = [{**shared, "platform": {"os": "linux", "architecture": f"a{number}"}} for number in range(MANY)]
    attested = {"vnd.docker.reference.type": "attestation-manifest"}
    entries += [{**shared, "annotations": attested} for _ in range(MANY)]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()


def check(asked: list[str], most: int) -> None:
    manifest = f"GET {MANIFESTS}/{Digest.of(MANIFEST)}"
    assert asked.count(manifest) <= most
    assert sum(str(Digest.of(CONFIG)) in line for line in asked) <= most


def test_dld_28_one_manifest_of_many_platforms_is_read_once(library_way: Way, net: Network) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/many", document(index(), OCI_INDEX))

    outcome = library_way.ask(lambda it: it.get_image("many"))
    assert outcome.kind is None, outcome.text
    assert len(outcome.value.platforms) == MANY
    check(registry.asked, 1)


def test_dld_28_the_images_of_many_platforms_are_read_once(net: Network) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/many", document(index(), OCI_INDEX))

    way = Way("threads", net)
    outcome = way.ask(lambda it: it.get_image("many").get_platform_images())
    assert outcome.kind is None, outcome.text
    assert len(outcome.value) == MANY
    assert len({image.platform for image in outcome.value}) == MANY
    check(registry.asked, 1)


def test_dld_28_the_command_line_reads_it_once(net: Network) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/many", document(index(), OCI_INDEX))

    for command in ("inspect", "platforms"):
        before = len(registry.requests)
        assert Way("command line", net).command(command, "registry.test/acme/web:many").kind is None
        check(registry.asked[before:], 2)  # as an image, and as an attestation
