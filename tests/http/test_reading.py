"""Reading: what comes was checked against what was asked for, and nothing is asked for that is not needed."""

import json
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Digest, errors
from tests.doors import Door, repository
from tests.http.documents import (
    CONFIG,
    DIGEST,
    INDEX,
    MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    described,
    image,
    refusal,
    served,
)

MODERN = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
}


def always(answer: Any) -> Any:
    return lambda _: answer


# --- manifests


def test_row_11_a_manifest_is_asked_for_in_all_modern_types_and_in_no_old_one(door: Door) -> None:
    door.run(image, lambda registry: repository(registry).get_manifest("1.4"))

    [request] = door.seen
    assert set(request.headers["accept"].split(", ")) == MODERN
    assert request.headers["accept-encoding"] == "identity"


def test_row_15_schema_1_is_asked_for_on_request(door: Door) -> None:
    door.run(image, lambda registry: repository(registry).get_manifest("1.4", legacy=True))

    assert "application/vnd.docker.distribution.manifest.v1+prettyjws" in door.seen[0].headers["accept"]


def test_row_15_schema_1_that_comes_unasked_is_an_error_with_its_digest(door: Door) -> None:
    raw = json.dumps({"schemaVersion": 1, "name": "a", "tag": "b", "architecture": "c", "fsLayers": [], "history": []})
    answer = served(raw.encode(), "application/vnd.docker.distribution.manifest.v1+json")

    with pytest.raises(errors.UnsupportedMediaTypeError) as refused:
        door.run(always(answer), lambda registry: repository(registry).get_manifest("1.4"))
    assert refused.value.digest == Digest.of(raw.encode())


def test_a_manifest_is_read_by_one_request_and_keeps_its_bytes(door: Door) -> None:
    manifest = door.run(image, lambda registry: repository(registry).get_manifest("1.4"))

    assert (manifest.raw, manifest.digest) == (MANIFEST, DIGEST)
    assert door.asked == ["GET https://registry.example/v2/acme/web/manifests/1.4"]


@pytest.mark.parametrize(
    ("media_type", "outcome"),
    [
        (f"{OCI_MANIFEST}; charset=utf-8", None),
        (OCI_MANIFEST.upper(), None),
        ("application/json; charset=utf-8", None),
        ("", None),
        (OCI_INDEX, errors.MediaTypeMismatchError),
        ("text/html; charset=utf-8", errors.UnsupportedMediaTypeError),
        ("application/vnd.evil+json", errors.UnsupportedMediaTypeError),
        ("evil", errors.DregError),
    ],
)
def test_mdl_02_mdl_03_what_a_manifest_is_served_as(
    door: Door, media_type: str, outcome: type[Exception] | None
) -> None:
    answer = always(served(MANIFEST, media_type))

    if outcome is None:
        assert door.run(answer, lambda registry: repository(registry).get_manifest("1.4")).digest == DIGEST
    else:
        with pytest.raises(outcome):
            door.run(answer, lambda registry: repository(registry).get_manifest("1.4"))


def test_dld_07_another_manifest_than_the_digest_names_is_refused(door: Door) -> None:
    for headers in ({"Docker_Content_Digest": str(DIGEST)}, {}, {"Docker_Content_Digest": str(Digest.of(INDEX))}):
        answer = always(served(INDEX, OCI_INDEX, **headers))
        # What HEAD says is a claim, and taken for one; where it names another digest, or none, GET is asked.
        claims = headers.get("Docker_Content_Digest") == str(DIGEST)
        for action in ("get_manifest", "get_raw_manifest", "get_image", *(() if claims else ("resolve",))):
            with pytest.raises(errors.DigestMismatchError):
                door.run(answer, lambda registry, action=action: getattr(repository(registry), action)(str(DIGEST)))


@pytest.mark.parametrize(
    ("claim", "is_refused"),
    [
        (str(DIGEST), False),
        ("sha256:" + "0" * 64, True),
        (str(Digest.of(MANIFEST, "sha512")), False),
        ("sha512:" + "0" * 128, True),
        ("SHA256:what", False),
        ("blake3:" + "0" * 64, False),
    ],
)
def test_dld_06_what_the_registry_says_of_a_tag_is_a_claim(door: Door, claim: str, is_refused: bool) -> None:
    answer = always(served(MANIFEST, Docker_Content_Digest=claim))

    if is_refused:
        with pytest.raises(errors.DigestMismatchError):
            door.run(answer, lambda registry: repository(registry).get_manifest("1.4"))
    else:
        assert door.run(answer, lambda registry: repository(registry).get_manifest("1.4")).digest == DIGEST


SIGNED = (Path(__file__).parents[2] / "fixtures/valid/docker-schema-1-signed.json").read_bytes()
PAYLOAD = SIGNED[: SIGNED.index(b',\n   "signatures"')] + b"\n}"
PRETTY_JWS = "application/vnd.docker.distribution.manifest.v1+prettyjws"


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_mdl_15_of_a_signed_manifest_the_registry_says_the_digest_of_what_was_signed(
    door: Door, algorithm: str
) -> None:
    answer = always(served(SIGNED, PRETTY_JWS, Docker_Content_Digest=str(Digest.of(PAYLOAD, algorithm))))

    found = door.run(answer, lambda registry: repository(registry).get_manifest("1.0", legacy=True))
    assert (found.raw, found.digest) == (SIGNED, Digest.of(SIGNED)), "what is handed out is named by its own bytes"
    with pytest.raises(errors.UnsupportedMediaTypeError):
        door.run(answer, lambda registry: repository(registry).get_manifest("1.0"))


def test_mdl_15_any_other_digest_of_a_signed_manifest_is_still_a_mismatch(door: Door) -> None:
    others = {
        "of another payload": (SIGNED, PAYLOAD + b"\n"),
        "of a payload that is changed": (SIGNED.replace(b"amd64", b"arm64", 1), PAYLOAD),
        "of what is not signed": (PAYLOAD, PAYLOAD[:-2]),
    }
    for raw, named in others.values():
        answer = always(served(raw, PRETTY_JWS, Docker_Content_Digest=str(Digest.of(named))))
        with pytest.raises(errors.DigestMismatchError, match="according to its Docker-Content-Digest"):
            door.run(answer, lambda registry: repository(registry).get_manifest("1.0", legacy=True))


def test_mdl_15_a_digest_that_was_asked_for_is_of_the_bytes_alone(door: Door) -> None:
    wanted = Digest.of(PAYLOAD)
    answer = always(served(SIGNED, PRETTY_JWS, Docker_Content_Digest=str(wanted)))

    with pytest.raises(errors.DigestMismatchError):
        door.run(answer, lambda registry: repository(registry).get_manifest(wanted, legacy=True))


def test_dld_08_a_sha512_digest_is_verified_by_sha512(door: Door) -> None:
    wanted = Digest.of(MANIFEST, "sha512")
    answer = always(served(MANIFEST, Docker_Content_Digest=str(DIGEST)))

    assert door.run(answer, lambda registry: repository(registry).get_raw_manifest(wanted)).digest == wanted


def test_mdl_16_a_child_of_another_type_than_its_descriptor_says_is_refused(door: Door) -> None:
    def answer(request: Any) -> Any:
        return served(MANIFEST, OCI_INDEX) if str(DIGEST) in str(request.url) else image(request)

    def read(registry: Any) -> Any:
        return repository(registry).get_manifest(_descriptor())

    with pytest.raises(errors.MediaTypeMismatchError):
        door.run(answer, read)


def _descriptor() -> Any:
    from dreg_client import Descriptor

    return Descriptor.model_validate(described(MANIFEST, OCI_MANIFEST))


def test_ref_09_what_cannot_be_proven_is_never_asked_for(door: Door) -> None:
    for wanted in ("blake3:" + "0" * 64, "md5:" + "0" * 32):
        with pytest.raises(errors.UnsupportedDigestError):
            door.run(image, lambda registry, wanted=wanted: repository(registry).get_manifest(wanted))
        with pytest.raises(errors.UnsupportedDigestError):
            door.run(image, lambda registry, wanted=wanted: repository(registry).get_blob(wanted))
    assert door.seen == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"schemaVersion": 2}', b"\xff", b'{"schemaVersion": "2"}']
)
def test_row_21_a_malformed_manifest_is_one_typed_error(door: Door, body: bytes) -> None:
    with pytest.raises(errors.DocumentError):
        door.run(always(served(body)), lambda registry: repository(registry).get_manifest("1.4"))


def test_dld_20_a_manifest_over_its_limit_is_not_read_to_its_end(door: Door) -> None:
    with pytest.raises(errors.ResponseTooLargeError):
        door.run(
            always(served(b" " * (4 * 1024 * 1024 + 1))), lambda registry: repository(registry).get_manifest("1.4")
        )


# --- resolving


def test_q_01_a_tag_is_resolved_by_head_which_counts_as_no_pull(door: Door) -> None:
    descriptor = door.run(image, lambda registry: repository(registry).resolve("all"))

    assert (descriptor.digest, descriptor.size, descriptor.media_type) == (Digest.of(INDEX), len(INDEX), OCI_INDEX)
    assert [request.method for request in door.seen] == ["HEAD"]
    assert set(door.seen[0].headers["accept"].split(", ")) == MODERN


@pytest.mark.parametrize(
    "answer", [400, 403, 404, 405, 406, 410, 500, 501, 200, (200, {"Docker-Content-Digest": str(DIGEST)}, b"")], ids=str
)
def test_dld_21_q_12_a_head_that_says_too_little_becomes_a_get(door: Door, answer: Any) -> None:
    def head_fails(request: Any) -> Any:
        return answer if request.method == "HEAD" else image(request)

    assert door.run(head_fails, lambda registry: repository(registry).resolve("1.4")).digest == DIGEST
    assert [request.method for request in door.seen] == ["HEAD", "GET"]


def test_row_22_check_manifest_tells_absent_from_refused(door: Door) -> None:
    def check(registry: Any) -> Any:
        return repository(registry).check_manifest("1.4")

    assert door.run(image, check) == DIGEST
    assert door.run(always(404), check) is None
    for status, error in ((401, errors.UnauthorizedError), (403, errors.DeniedError), (429, errors.RateLimitedError)):
        with pytest.raises(error):
            door.run(always(status), check)


def test_row_22_check_manifest_follows_redirects(door: Door) -> None:
    def moved(request: Any) -> Any:
        if request.url.path.startswith("/elsewhere"):
            return served(b"", Docker_Content_Digest=str(DIGEST)) if request.method == "HEAD" else served(MANIFEST)
        return 307, {"Location": "/elsewhere"}, b""

    assert door.run(moved, lambda registry: repository(registry).check_manifest("1.4")) == DIGEST


# --- images


def test_row_36_an_image_reads_each_document_once(door: Door) -> None:
    async def twice(registry: Any) -> Any:
        found = await repository(registry).get_image("all")
        return [await found.get_platform_image("linux/amd64") for _ in range(2)]

    def twice_sync(registry: Any) -> Any:
        found = repository(registry).get_image("all")
        return [found.get_platform_image("linux/amd64") for _ in range(2)]

    first, second = door.run(image, twice if door.is_async else twice_sync)
    assert first is second
    assert len(door.seen) == 3, "the index, the manifest, the config"


# --- refusals


def test_row_40_a_refusal_says_what_the_registry_says(door: Door) -> None:
    answer = refusal(403, "DENIED", "not for you\x1b[31m", **{"X-Request-Id": "abc-1"})

    with pytest.raises(errors.DeniedError) as denied:
        door.run(always(answer), lambda registry: repository(registry).get_manifest("1.4"))
    error = denied.value
    assert (error.status, error.said, error.request_id) == (403, ("DENIED: not for you\\x1b[31m",), "abc-1")
    assert error.codes == ("DENIED",)
    assert "\x1b" not in str(error)


@pytest.mark.parametrize(
    "body",
    [b"<html>no</html>", b"{", b"[]", b'{"errors": {}}', b'{"errors": [{"code": 7}]}', b"x" * 100_000, b"\xff\xfe"],
)
def test_trn_20_any_body_of_a_refusal_will_do(door: Door, body: bytes) -> None:
    with pytest.raises(errors.ServerError) as refused:
        door.run(always((503, {}, body)), lambda registry: repository(registry).get_manifest("1.4"))
    assert len(str(refused.value)) < 2048


def test_trn_20_of_a_refusal_1_kib_is_kept_and_nothing_of_it_reaches_a_terminal(door: Door) -> None:
    entries = [{"code": f"\x1b[31mE{n}", "message": "\x1b]0;" + "long " * 100} for n in range(30)]
    body = json.dumps({"errors": entries}).encode()

    with pytest.raises(errors.DeniedError) as refused:
        door.run(always((403, {}, body)), lambda registry: repository(registry).get_manifest("1.4"))
    assert 1 < len(refused.value.said) <= 10
    assert sum(map(len, refused.value.said)) <= 1024
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "headers",
    [{f"x-{n}": "" for n in range(1001)}, {f"x-{n}": "y" * 20_000 for n in range(6)}],
    ids=["too many", "too long"],
)
@pytest.mark.parametrize("action", ["get_manifest", "get_blob"])
def test_trn_14_an_answer_has_so_many_headers_and_no_more(door: Door, headers: dict[str, str], action: str) -> None:
    name = "1.4" if action == "get_manifest" else str(DIGEST)
    answer = (200, headers, MANIFEST)

    with pytest.raises(errors.ProtocolError, match="headers"):
        door.run(always(answer), lambda registry: getattr(repository(registry), action)(name), retries=2)
    assert len(door.seen) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.RegistryError),
        (401, errors.UnauthorizedError),
        (404, errors.NotFoundError),
        (405, errors.UnsupportedError),
        (418, errors.RegistryError),
        (500, errors.ServerError),
        (599, errors.ServerError),
    ],
)
def test_each_status_has_its_error(door: Door, status: int, error: type[Exception]) -> None:
    answer = refusal(status, "ODD_CODE", "and why")
    for action in ("get_manifest", "get_image", "resolve", "delete_tag"):
        with pytest.raises(error) as refused:
            door.run(always(answer), lambda registry, action=action: getattr(repository(registry), action)("1.4"))
        told: Any = refused.value
        assert (told.status, told.codes) == (status, ("ODD_CODE",))
        assert f"({status} ODD_CODE: and why)" in str(told)


@pytest.mark.parametrize(
    ("body", "media_type", "said"),
    [
        (b"", "", "empty"),
        (b"", OCI_MANIFEST, "empty"),
        (b"", "application/x", "empty"),
        (b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}', "application/json", "MANIFEST_UNKNOWN"),
        (b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}', OCI_MANIFEST, "MANIFEST_UNKNOWN"),
        (b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}', "application/problem+json", "MANIFEST_UNKNOWN"),
        (b"down for maintenance", "text/plain", "down for maintenance"),
        (b"down for maintenance", "application/x", "down for maintenance"),
        (b"{}", "application/json", "{}"),
        (b"[]", OCI_INDEX, r"\[\]"),
        (CONFIG, "application/json", "amd64"),
    ],
)
@pytest.mark.parametrize("states_digest", [False, True])
def test_what_is_no_manifest_has_no_digest_of_one(
    door: Door, body: bytes, media_type: str, said: str, states_digest: bool
) -> None:
    stated = {"Docker_Content_Digest": str(Digest.of(body))} if states_digest and not body else {}

    for ask in ("resolve", "check_manifest"):
        with pytest.raises(errors.ProtocolError, match=f"the body is not a manifest.*{said}"):
            door.run(
                lambda _: served(body, media_type, **stated),
                lambda registry, ask=ask: getattr(repository(registry), ask)("1.4"),
            )


def test_a_manifest_of_a_type_that_is_not_known_has_a_digest(door: Door) -> None:
    raw = b'{"any": "artifact"}'

    found = door.run(
        lambda _: served(raw, "application/vnd.acme+json"), lambda registry: repository(registry).resolve("1")
    )
    assert found.digest == Digest.of(raw)


@pytest.mark.parametrize(("name", "advice"), [("1.4", "list the available tags"), (str(DIGEST), "check the digest")])
@pytest.mark.parametrize("ask", ["resolve", "get_manifest", "get_image"])
def test_advice_fits_what_is_missing(door: Door, ask: str, name: str, advice: str) -> None:
    with pytest.raises(errors.NotFoundError) as missing:
        door.run(lambda _: 404, lambda registry: getattr(repository(registry), ask)(name))

    assert missing.value.advice.startswith(advice)
