"""Manifests that are others than was said, and tags that move: DLD-06 to DLD-08, DLD-17, DLD-21."""

import json
from typing import Any

import pytest

from dreg_client import Digest, Platform, errors
from tests.faultserver import Network, Piece, answer, head, refusal
from tests.hostile.registry import (
    BASE,
    CONFIG,
    DIGEST,
    INDEX,
    MANIFEST,
    MANIFESTS,
    OCI_INDEX,
    OCI_MANIFEST,
    document,
    registry_at,
)
from tests.hostile.ways import Outcome, Way, refused
from tests.http.documents import OCI_CONFIG, described

OTHER = json.dumps(
    {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": described(CONFIG, OCI_CONFIG), "layers": []}
).encode()
OTHER_INDEX = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [
            {**described(OTHER, OCI_MANIFEST), "platform": {"architecture": "amd64", "os": "linux"}},
            {**described(b"{}", OCI_MANIFEST), "platform": {"architecture": "arm64", "os": "linux"}},
        ],
    }
).encode()
SHA512 = Digest.of(MANIFEST, "sha512")
AMD64 = Platform.from_name("linux/amd64")


def claiming(claim: str, raw: bytes = MANIFEST) -> bytes:
    """A manifest with what a registry says that its digest is."""
    return document(raw, OCI_MANIFEST, f"Docker-Content-Digest: {claim}")


def given(outcome: Outcome) -> bytes:
    """The bytes of a manifest that was given."""
    assert outcome.kind is None, outcome.text
    return outcome.value if isinstance(outcome.value, bytes) else outcome.value.raw


def nothing_given(outcome: Outcome) -> bool:
    """Whether no byte went out."""
    return not outcome.value


@pytest.mark.parametrize("claim", [str(Digest.of(OTHER)), str(Digest.of(OTHER, "sha512"))], ids=["sha256", "sha512"])
def test_dld_06_a_claim_of_other_bytes_is_an_error(way: Way, net: Network, claim: str) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/1.4", claiming(claim))

    outcome = refused(way.manifest("1.4"), errors.DigestMismatchError)
    assert nothing_given(outcome)
    assert len(registry.requests) == 1


def test_dld_06_two_claims_that_differ_are_an_error_whichever_is_first(library_way: Way, net: Network) -> None:
    for claims in ((DIGEST, Digest.of(OTHER)), (Digest.of(OTHER), DIGEST)):
        headers = [f"Docker-Content-Digest: {claim}" for claim in claims]
        registry_at(net).on(f"{MANIFESTS}/1.4", document(MANIFEST, OCI_MANIFEST, *headers))

        refused(library_way.manifest("1.4"), errors.ProtocolError)
        refused(library_way.resolve("1.4"), errors.ProtocolError)


def test_dld_06_a_claim_that_is_said_twice_is_one_claim(library_way: Way, net: Network) -> None:
    headers = [f"Docker-Content-Digest: {DIGEST}"] * 2
    registry_at(net).on(f"{MANIFESTS}/1.4", document(MANIFEST, OCI_MANIFEST, *headers))

    assert given(library_way.manifest("1.4")) == MANIFEST


@pytest.mark.parametrize(
    "claim",
    ["nonsense", "sha256:abc", str(DIGEST).upper(), "md5:d41d8cd98f00b204e9800998ecf8427e", f"blake3:{'a' * 64}"],
)
def test_dld_06_a_claim_that_cannot_be_checked_is_passed_over_with_a_warning(
    library_way: Way, net: Network, claim: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry_at(net).on(f"{MANIFESTS}/1.4", claiming(claim))

    assert given(library_way.manifest("1.4")) == MANIFEST
    assert "Docker-Content-Digest" in "".join(record.getMessage() for record in caplog.records if record.levelno >= 30)
    assert library_way.resolve("1.4").value.digest == DIGEST


def test_dld_06_the_command_line_says_so_too(net: Network) -> None:
    registry_at(net).on(f"{MANIFESTS}/1.4", claiming("md5:d41d8cd98f00b204e9800998ecf8427e"))

    done = Way("command line", net).manifest("1.4")
    assert given(done) == MANIFEST
    assert "Docker-Content-Digest" in done.text
    assert Way("command line", net).resolve("1.4").value.decode().strip() == DIGEST


def test_dld_06_a_right_claim_of_another_algorithm_is_right(way: Way, net: Network) -> None:
    registry_at(net).on(f"{MANIFESTS}/1.4", claiming(str(SHA512)))

    assert given(way.manifest("1.4")) == MANIFEST


def test_dld_07_another_manifest_is_not_taken_for_the_one_that_is_pinned(way: Way, net: Network) -> None:
    registry_at(net).on(f"{MANIFESTS}/{DIGEST}", claiming(str(DIGEST), OTHER))

    assert nothing_given(refused(way.manifest(str(DIGEST)), errors.DigestMismatchError))
    assert nothing_given(refused(way.config(str(DIGEST)), errors.DigestMismatchError))


def test_dld_07_a_tag_is_not_given_to_another_manifest(way: Way, net: Network) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/{DIGEST}", claiming(str(DIGEST), OTHER))

    refused(way.tag(str(DIGEST), "new"), errors.DigestMismatchError)
    assert not [heard for heard in registry.requests if heard.method == "PUT"]


def test_dld_07_another_child_than_the_index_lists_is_refused(way: Way, net: Network) -> None:
    registry_at(net).on(f"{MANIFESTS}/{DIGEST}", claiming(str(DIGEST), OTHER))

    refused(image_config(way, "all"), errors.DigestMismatchError)


def test_dld_08_what_is_pinned_by_sha512_is_proven_by_sha512(way: Way, net: Network) -> None:
    registry_at(net).on(f"{MANIFESTS}/{SHA512}", claiming(str(DIGEST)))

    assert given(way.manifest(str(SHA512))) == MANIFEST


def test_dld_08_the_right_sha256_is_no_proof_where_sha512_is_pinned(way: Way, net: Network) -> None:
    registry_at(net).on(f"{MANIFESTS}/{SHA512}", document(OTHER))

    outcome = refused(way.manifest(str(SHA512)), errors.DigestMismatchError)
    assert nothing_given(outcome)


# --- DLD-17


def image_config(way: Way, reference: str) -> Outcome:
    """The config of one platform of an image, as it is read from its tag on."""

    def by_threads(repository: Any) -> bytes:
        return bytes(repository.get_image(reference).get_platform_image(AMD64).config.raw)

    async def by_tasks(repository: Any) -> bytes:
        image = await repository.get_image(reference)
        return bytes((await image.get_platform_image(AMD64)).config.raw)

    if way.name == "command line":
        return way.command("config", f"registry.test/acme/web:{reference}", "--platform", "linux/amd64")
    return way.ask(by_tasks if way.name == "tasks" else by_threads)


def test_dld_17_a_tag_that_moves_gives_one_image_all_the_same(way: Way, net: Network) -> None:
    registry = registry_at(net)
    registry.on(f"{MANIFESTS}/all", document(INDEX, OCI_INDEX), document(OTHER_INDEX, OCI_INDEX))
    registry.on(f"{MANIFESTS}/all", document(OTHER_INDEX, OCI_INDEX), method="HEAD")
    registry.on(f"{MANIFESTS}/{Digest.of(OTHER)}", document(OTHER))

    assert image_config(way, "all").value == CONFIG
    assert [asked for asked in registry.asked if asked.startswith("GET")] == [
        f"GET {MANIFESTS}/all",
        f"GET {MANIFESTS}/{DIGEST}",
        f"GET {BASE}/blobs/{Digest.of(CONFIG)}",
    ]


def test_dld_17_a_tag_that_moves_between_head_and_get_is_what_get_says(library_way: Way, net: Network) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/1.4", document(OTHER), method="HEAD")

    def by_threads(repository: Any) -> tuple[Any, ...]:
        return repository.resolve("1.4").digest, repository.get_image("1.4").digest

    async def by_tasks(repository: Any) -> tuple[Any, ...]:
        return (await repository.resolve("1.4")).digest, (await repository.get_image("1.4")).digest

    found = library_way.ask(by_tasks if library_way.name == "tasks" else by_threads)
    assert found.value == (Digest.of(OTHER), DIGEST)
    assert registry.asked[0].startswith("HEAD")


# --- DLD-04, DLD-21


def test_dld_04_head_may_tell_another_length_than_get(way: Way, net: Network) -> None:
    longer = answer(b"", "200 OK", f"Content-Type: {OCI_MANIFEST}", f"Docker-Content-Digest: {DIGEST}", length=9999)
    registry_at(net).on(f"{MANIFESTS}/1.4", longer, method="HEAD")

    assert way.resolve("1.4").kind is None
    assert given(way.manifest("1.4")) == MANIFEST
    assert way.config("1.4").kind is None


HEADS: dict[str, Piece] = {
    "405": refusal("405 Method Not Allowed", "UNSUPPORTED"),
    "404": answer(b"", "404 Not Found"),
    "500": answer(b"", "500 Internal Server Error"),
    "no length": head(
        "200 OK", f"Content-Type: {OCI_MANIFEST}", f"Docker-Content-Digest: {DIGEST}", "Connection: close"
    ),
    "no digest": answer(b"", "200 OK", f"Content-Type: {OCI_MANIFEST}", length=len(MANIFEST)),
    "no type": answer(b"", "200 OK", f"Docker-Content-Digest: {DIGEST}", length=len(MANIFEST)),
}


@pytest.mark.parametrize("said", HEADS.values(), ids=HEADS)
def test_dld_21_where_head_says_too_little_get_is_asked(way: Way, net: Network, said: Piece) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/1.4", said, method="HEAD")

    found = way.resolve("1.4")
    assert found.kind is None, found.text
    assert (found.value.decode().strip() if isinstance(found.value, bytes) else found.value.digest) == DIGEST
    assert registry.asked == [f"HEAD {MANIFESTS}/1.4", f"GET {MANIFESTS}/1.4"]


@pytest.mark.parametrize("said", HEADS.values(), ids=HEADS)
def test_dld_21_a_registry_that_does_not_head_is_not_asked_to_again(
    library_way: Way, net: Network, said: Piece
) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/*", said, method="HEAD")

    def by_threads(repository: Any) -> tuple[Any, ...]:
        return tuple(repository.resolve(name).digest for name in ("1.4", "1.4", "all"))

    async def by_tasks(repository: Any) -> tuple[Any, ...]:
        return tuple([(await repository.resolve(name)).digest for name in ("1.4", "1.4", "all")])

    found = library_way.ask(by_tasks if library_way.name == "tasks" else by_threads)
    assert found.value == (DIGEST, DIGEST, Digest.of(INDEX))
    assert [heard.method for heard in registry.requests] == ["HEAD", "GET", "GET", "GET"]


def test_dld_21_what_is_not_there_is_no_reason_to_ask_otherwise(library_way: Way, net: Network) -> None:
    registry = registry_at(net)

    def by_threads(repository: Any) -> Any:
        assert repository.check_manifest("none") is None
        return repository.resolve("1.4")

    async def by_tasks(repository: Any) -> Any:
        assert await repository.check_manifest("none") is None
        return await repository.resolve("1.4")

    assert library_way.ask(by_tasks if library_way.name == "tasks" else by_threads).error is None
    assert [heard.method for heard in registry.requests] == ["HEAD", "GET", "HEAD"]
