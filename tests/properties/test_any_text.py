"""Whatever is given to a parser, it reads it, or refuses it by an error of its own; nothing else comes out."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dreg_client import Digest, Platform, Reference, errors, parse_manifest, validate
from dreg_client.models.json_text import AmbiguousTextError, read_object, scan
from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.messages import Headers, Response
from dreg_client.protocol.retry import retry_after
from dreg_client.protocol.tags_and_catalog import next_target
from dreg_client.protocol.www_authenticate import parse_challenges
from dreg_client.values.media_type import essence, is_media_type
from dreg_client.values.reference import RepositoryName
from dreg_client.values.store_name import StoreName
from dreg_client.values.timestamp import Timestamp
from tests.properties import texts

BLOB = Digest.of(b"")
URL = "https://r.example/v2/a/tags/list"


def said(status: int, *headers: tuple[str, str]) -> Response:
    return Response(status, Headers(headers), url=URL, registry="https://r.example")


def from_link(text: str) -> None:
    next_target(said(200, ("Link", text)))


def from_retry_after(text: str) -> None:
    wait = retry_after(said(429, ("Retry-After", text), ("Date", text)))
    assert wait is None or wait >= 0


def from_content_range(text: str) -> None:
    machine = BlobTransfer(RepositoryName("a"), BlobRequest(BLOB, start=5))
    machine.begin(said(206, ("Content-Range", text), ("Content-Length", text)))


MEMBERS = st.sampled_from(
    "schemaVersion mediaType config layers manifests annotations platform digest size urls subject artifactType data "
    "os architecture os.features fsLayers x".split()
)
PARSERS: dict[str, tuple[Callable[[str], Any], st.SearchStrategy[str], tuple[type[Exception], ...]]] = {
    "reference": (Reference.parse, texts.REFERENCES, (errors.InvalidReferenceError,)),
    "digest": (Digest.parse, texts.DIGESTS, (errors.InvalidDigestError,)),
    "platform": (Platform.from_name, texts.PLATFORMS, (errors.InvalidPlatformError,)),
    "store name": (StoreName.parse, texts.STORES, (errors.InvalidReferenceError, errors.InvalidDigestError)),
    "media type": (is_media_type, texts.MEDIA_TYPES, ()),
    "served media type": (essence, texts.MEDIA_TYPES, ()),
    "timestamp": (Timestamp, texts.TIMES, (ValueError,)),
    "challenge": (lambda text: parse_challenges([text]), texts.CHALLENGES, (errors.ChallengeError,)),
    "Link": (from_link, texts.LINKS, (errors.ProtocolError, errors.CrossOriginError)),
    "Retry-After": (from_retry_after, texts.WAITS, ()),
    "Content-Range": (
        from_content_range,
        texts.joined("bytes ", "5", "-", "9", "/", "*", " ", "0", "9" * 19),
        (errors.ProtocolError, errors.SizeMismatchError),
    ),
    "JSON": (lambda text: read_object(text.encode(errors="surrogatepass")), texts.JSON, (AmbiguousTextError,)),
    "manifest": (lambda text: parse_manifest(text.encode(errors="surrogatepass")), texts.JSON, (errors.DocumentError,)),
}


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=150)
@given(data=st.data())
def test_any_text_is_read_or_refused_by_the_parsers_own_error(name: str, data: st.DataObject) -> None:
    parse, strategy, refusals = PARSERS[name]
    text = data.draw(strategy)
    with suppress(*refusals):
        parse(text)


@settings(max_examples=300)
@given(raw=st.binary(max_size=100) | texts.JSON.map(lambda text: text.encode(errors="surrogatepass")))
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b'{"a": 1' + b"0" * 5000 + b"}")
def test_validation_never_raises_for_any_bytes(raw: bytes) -> None:
    """ "`validate` reports the same and never raises for a bad document." """
    report = validate(raw)
    tree, problems = scan(raw)

    assert report.ok or report.errors
    assert tree is not None or problems


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4),
        max_leaves=8,
    )
)
def test_members_of_manifests_may_be_anything(tree: Any) -> None:
    """Whatever stands where a member is due, it is a problem with a place, and no accident of ours."""
    document = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", **as_members(tree)}
    raw = json.dumps(document).encode(errors="surrogatepass")
    report = validate(raw)

    if report.ok:
        parse_manifest(raw, legacy=True)
    else:
        with pytest.raises(errors.DocumentError):
            parse_manifest(raw, legacy=True)


def as_members(tree: Any) -> dict[str, Any]:
    return tree if isinstance(tree, dict) else {"config": tree, "layers": [tree]}


@settings(max_examples=300)
@given(texts.REFERENCES)
def test_what_is_a_reference_is_the_same_one_in_each_of_its_texts(text: str) -> None:
    try:
        found = Reference.parse(text)
    except errors.InvalidReferenceError:
        return
    assert Reference.parse(str(found)) == found
    assert Reference.parse(found.familiar) == found
    assert str(Reference.parse(found.familiar)) == str(found)
