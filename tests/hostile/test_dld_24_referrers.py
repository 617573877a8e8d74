"""Lists of referrers: where they are, and what stands in them (DLD-24)."""

import json

import pytest

from dreg_client import Digest, errors
from tests.faultserver import RESET, Network, Piece, answer, redirect, refusal
from tests.hostile.registry import DIGEST, MANIFEST, MANIFESTS, OCI_INDEX, OCI_MANIFEST, document, registry_at
from tests.hostile.ways import Outcome, Way, refused
from tests.http.documents import OCI_CONFIG, described

LIST = f"/v2/acme/web/referrers/{DIGEST}"
FALLBACK = f"{MANIFESTS}/sha256-{DIGEST.encoded}"


def index(*types: str) -> bytes:
    """A list of what refers to the manifest."""
    entries = [{**described(kind.encode(), OCI_MANIFEST), "artifactType": kind} for kind in types]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()


def found_types(outcome: Outcome) -> list[str]:
    """The types of what was found."""
    assert outcome.kind is None, outcome.text
    if isinstance(outcome.value, bytes):
        return outcome.value.decode().split()[1::2]
    return [entry.artifact_type for entry in outcome.value]


NOT_OFFERED: dict[str, Piece] = {
    "404": refusal("404 Not Found"),
    "405": refusal("405 Method Not Allowed"),
    "400": refusal("400 Bad Request"),
    "html": answer(b"<html>welcome</html>", "200 OK", "Content-Type: text/html; charset=utf-8"),
    "elsewhere": redirect("https://web.test/packages", "303 See Other"),
    "elsewhere, for good": redirect("https://registry.test:8443/list", "308 Permanent Redirect"),
    "over http": redirect("http://web.test/packages"),
    "401 without a challenge": answer(b"", "401 Unauthorized"),
}


@pytest.mark.parametrize("said", NOT_OFFERED.values(), ids=NOT_OFFERED)
def test_dld_24_where_there_is_no_list_the_tag_is_read(way: Way, net: Network, said: Piece) -> None:
    registry = registry_at(net).on(LIST, said).on(FALLBACK, document(index("application/x-a"), OCI_INDEX))

    assert found_types(way.referrers(DIGEST)) == ["application/x-a"]
    assert registry.asked[-2:] == [f"GET {LIST}", f"GET {FALLBACK}"]


@pytest.mark.parametrize("said", NOT_OFFERED.values(), ids=NOT_OFFERED)
def test_dld_24_where_there_is_neither_list_nor_tag_nothing_refers_to_it(
    library_way: Way, net: Network, said: Piece
) -> None:
    registry_at(net).on(LIST, said)

    assert found_types(library_way.referrers(DIGEST)) == []


REFUSALS: dict[str, tuple[Piece, type[Exception]]] = {
    "401": (answer(b"", "401 Unauthorized", 'WWW-Authenticate: Basic realm="x"'), errors.UnauthorizedError),
    "403": (refusal("403 Forbidden"), errors.DeniedError),
    "500": (refusal("500 Internal Server Error"), errors.ServerError),
    "503": (refusal("503 Service Unavailable"), errors.ServerError),
}


@pytest.mark.parametrize(("said", "error"), REFUSALS.values(), ids=REFUSALS)
def test_dld_24_a_refusal_is_no_empty_list(way: Way, net: Network, said: Piece, error: type[Exception]) -> None:
    registry = registry_at(net).on(LIST, said).on(FALLBACK, document(index("application/x-a"), OCI_INDEX))

    assert not refused(way.referrers(DIGEST), error).value
    assert f"GET {FALLBACK}" not in registry.asked


@pytest.mark.parametrize("headers", [(), ("OCI-Filters-Applied: artifactType",)], ids=["unsaid", "said"])
def test_dld_24_what_the_registry_did_not_filter_is_filtered_here(
    way: Way, net: Network, headers: tuple[str, ...]
) -> None:
    raw = index("application/x-a", "application/x-b")
    registry = registry_at(net).on(LIST, answer(raw, "200 OK", f"Content-Type: {OCI_INDEX}", *headers))

    assert found_types(way.referrers(DIGEST, "application/x-b")) == ["application/x-b"]
    asked = [heard.query for heard in registry.requests if heard.path == LIST]
    assert asked == [{"artifactType": ["application/x-b"]}]


@pytest.mark.parametrize("by_tag", [False, True], ids=["list", "tag"])
@pytest.mark.parametrize("claim", [None, "", OCI_CONFIG, "application/vnd.oci.empty.v1+json"])
def test_dld_24_a_type_that_the_list_does_not_state_is_that_of_the_manifest(
    way: Way, net: Network, claim: str | None, by_tag: bool
) -> None:
    """go-containerregistry lists the type of the config as artifactType, and older clients list none."""
    registry = registry_at(net)
    entries = [described(raw, OCI_MANIFEST) | ({} if claim is None else {"artifactType": claim}) for raw in SIGNED]
    stated = described(b"stated", OCI_MANIFEST) | {"artifactType": "application/x-a"}
    for raw in SIGNED:
        registry.on(f"{MANIFESTS}/{Digest.of(raw)}", document(raw))
    listing = document(with_entry(index(), stated, *entries), OCI_INDEX)
    registry.on(LIST, refusal("404 Not Found") if by_tag else listing).on(FALLBACK, listing)

    digests = [described(b"stated", OCI_MANIFEST)["digest"], *[str(Digest.of(raw)) for raw in SIGNED[:2]]]
    assert found_digests(way.referrers(DIGEST, "application/x-a")) == digests


def test_dld_24_an_entry_whose_type_cannot_be_read_is_not_left_out_silently(
    library_way: Way, net: Network, caplog: pytest.LogCaptureFixture
) -> None:
    registry_at(net).on(LIST, document(index("application/x-a", "application/x-b"), OCI_INDEX))

    assert found_types(library_way.referrers(DIGEST, "application/x-b")) == ["application/x-b"]
    [warning] = [record.getMessage() for record in caplog.records if record.levelno >= 30]
    assert "its manifest cannot be read" in warning


UNASKED: dict[str, tuple[Piece, type[Exception]]] = {
    "no connection": (RESET, errors.TransportError),
    "401": (answer(b"", "401 Unauthorized", 'WWW-Authenticate: Basic realm="x"'), errors.UnauthorizedError),
    "403": (refusal("403 Forbidden"), errors.DeniedError),
    "429": (refusal("429 Too Many Requests"), errors.RateLimitedError),
    "503": (refusal("503 Service Unavailable"), errors.ServerError),
}


@pytest.mark.parametrize(("said", "error"), UNASKED.values(), ids=UNASKED)
def test_dld_24_a_type_that_cannot_be_asked_for_is_an_error(
    way: Way, net: Network, said: Piece, error: type[Exception]
) -> None:
    entry = {**ODD, "artifactType": OCI_CONFIG}
    registry = registry_at(net).on(LIST, document(with_entry(index("application/x-a"), entry), OCI_INDEX))
    registry.on(f"{MANIFESTS}/{ODD['digest']}", said)

    assert not refused(way.referrers(DIGEST, "application/x-a"), error).value


@pytest.mark.parametrize(("said", "error"), UNASKED.values(), ids=UNASKED)
def test_dld_24_a_size_that_cannot_be_asked_for_is_an_error(
    way: Way, net: Network, said: Piece, error: type[Exception]
) -> None:
    registry = registry_at(net).on(LIST, document(with_entry(index(), {"digest": ODD["digest"]}), OCI_INDEX))
    registry.on(f"{MANIFESTS}/{ODD['digest']}", said)

    assert not refused(way.referrers(DIGEST), error).value


WRONG: dict[str, Piece] = {
    "absent": refusal("404 Not Found"),
    "other bytes": answer(b"other", "200 OK", f"Content-Type: {OCI_MANIFEST}"),
    "a page": answer(b"<html>welcome</html>", "200 OK", "Content-Type: text/html"),
}


@pytest.mark.parametrize("said", WRONG.values(), ids=WRONG)
def test_dld_24_a_referrer_that_is_wrong_itself_hides_no_other(way: Way, net: Network, said: Piece) -> None:
    registry = registry_at(net).on(LIST, document(with_entry(index("application/x-a"), ODD), OCI_INDEX))
    registry.on(f"{MANIFESTS}/{ODD['digest']}", said)

    assert found_types(way.referrers(DIGEST, "application/x-a")) == ["application/x-a"]


def test_dld_24_types_are_asked_for_several_at_a_time_and_listed_in_order(library_way: Way, net: Network) -> None:
    raw = [
        json.dumps({**json.loads(MANIFEST), "artifactType": f"application/x-{n % 2}", "n": n}).encode()
        for n in range(40)
    ]
    registry = registry_at(net)
    for each in raw:
        registry.on(f"{MANIFESTS}/{Digest.of(each)}", document(each))
    registry.on(LIST, document(with_entry(index(), *[described(each, OCI_MANIFEST) for each in raw]), OCI_INDEX))

    assert found_digests(library_way.referrers(DIGEST, "application/x-1")) == [
        str(Digest.of(each)) for each in raw[1::2]
    ]
    assert 1 < registry.connections <= 8


def test_dld_24_another_host_is_not_asked_for_the_list(way: Way, net: Network) -> None:
    registry_at(net).on(LIST, redirect("https://web.test/packages"))
    web = net.host("web.test").on("/packages", document(index("application/x-a"), OCI_INDEX))

    assert found_types(way.referrers(DIGEST)) == []
    assert web.connections == 0


def test_dld_24_the_registry_may_move_the_list_within_itself(way: Way, net: Network) -> None:
    registry = registry_at(net).on(LIST, redirect("/moved"))
    registry.on("/moved", document(index("application/x-a"), OCI_INDEX))

    assert found_types(way.referrers(DIGEST)) == ["application/x-a"]


def test_dld_24_a_401_without_a_challenge_is_warned_of(
    library_way: Way, net: Network, caplog: pytest.LogCaptureFixture
) -> None:
    registry_at(net).on(LIST, answer(b"", "401 Unauthorized"))

    assert found_types(library_way.referrers(DIGEST)) == []
    [warning] = [record.getMessage() for record in caplog.records if record.levelno >= 30]
    assert "401 without a challenge; reading the referrers tag instead" in warning


def test_dld_24_nor_is_the_tag_believed_where_it_is_denied(way: Way, net: Network) -> None:
    denied = answer(b"", "401 Unauthorized")
    registry_at(net).on(LIST, denied).on(FALLBACK, denied)

    refused(way.referrers(DIGEST), errors.UnauthorizedError)


ODD = described(b"odd", OCI_MANIFEST)
MALFORMED: dict[str, tuple[dict[str, object], tuple[str, str | None, int]]] = {
    "an empty type": ({**ODD, "artifactType": ""}, (OCI_MANIFEST, None, 3)),
    "a type with a parameter": (
        {**ODD, "artifactType": "application/x-a;version=0.3"},
        (OCI_MANIFEST, "application/x-a;version=0.3", 3),
    ),
    "a type that is a number": ({**ODD, "artifactType": 7}, (OCI_MANIFEST, None, 3)),
    "a media type that is none": ({**ODD, "mediaType": "signature"}, ("signature", None, 3)),
    "no media type": ({**ODD, "mediaType": None}, (OCI_MANIFEST, None, 3)),
    "no size": ({**ODD, "size": None}, (OCI_MANIFEST, None, 3)),
    "a size as text": ({**ODD, "size": "3", "artifactType": "application/x-a"}, (OCI_MANIFEST, "application/x-a", 3)),
    "no bytes": ({**ODD, "size": 0}, (OCI_MANIFEST, None, 3)),
    "annotations": ({**ODD, "annotations": {"a": 1}}, (OCI_MANIFEST, None, 3)),
    "data": ({**ODD, "data": "b3RoZXI="}, (OCI_MANIFEST, None, 3)),
    "a platform": ({**ODD, "platform": "linux"}, (OCI_MANIFEST, None, 3)),
    "a name in capitals": ({**ODD, "ArtifactType": "application/x-a"}, (OCI_MANIFEST, None, 3)),
    "all of it": ({"digest": ODD["digest"], "urls": 1, "size": -1, "mediaType": 1}, (OCI_MANIFEST, None, 3)),
}
WITHOUT_DIGEST: dict[str, object] = {
    "no digest": {"mediaType": OCI_MANIFEST, "size": 3},
    "another digest": {**ODD, "digest": "sha256:0"},
    "null": None,
    "text": "text",
}
SIGNED = [
    json.dumps({**json.loads(MANIFEST), **more, "annotations": {"n": str(n)}}).encode()
    for n, more in enumerate(
        (
            {"artifactType": "application/x-a"},
            {"config": described(b"{}", "application/x-a")},
            {"artifactType": "application/x-b"},
        )
    )
]
"""Two of the type `application/x-a`, by its own word and by its config; and another."""


def found_digests(outcome: Outcome) -> list[str]:
    """The digests of what was found."""
    assert outcome.kind is None, outcome.text
    if isinstance(outcome.value, bytes):
        return outcome.value.decode().split()[::2]
    return [str(entry.digest) for entry in outcome.value]


def with_entry(raw: bytes, *entries: object) -> bytes:
    """The same list, with more entries in front."""
    tree = json.loads(raw)
    return json.dumps({**tree, "manifests": [*entries, *tree["manifests"]]}).encode()


@pytest.mark.parametrize("by_tag", [False, True], ids=["list", "tag"])
@pytest.mark.parametrize(("entry", "found"), MALFORMED.values(), ids=MALFORMED)
def test_dld_24_a_malformed_entry_is_listed_with_its_problem_as_a_warning(
    way: Way,
    net: Network,
    entry: dict[str, object],
    found: tuple[str, str | None, int],
    by_tag: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    raw = with_entry(index("application/x-b"), {name: value for name, value in entry.items() if value is not None})
    listing = document(raw, OCI_INDEX)
    registry = registry_at(net).on(f"{MANIFESTS}/{ODD['digest']}", document(b"odd"))
    registry.on(LIST, refusal("404 Not Found") if by_tag else listing).on(FALLBACK, listing)

    outcome = way.referrers(DIGEST)
    assert found_digests(outcome) == [ODD["digest"], described(b"application/x-b", OCI_MANIFEST)["digest"]]
    if way.name == "command line":
        assert f"the entry {ODD['digest']} is malformed: $." in outcome.text
        return
    odd = outcome.value[0]
    assert (odd.media_type, odd.artifact_type, odd.size) == found
    [warning] = [record.getMessage() for record in caplog.records if record.levelno >= 30]
    assert f"the entry {ODD['digest']} is malformed: $." in warning


def test_dld_24_a_malformed_entry_is_listed_also_where_its_manifest_is_gone(
    library_way: Way, net: Network, caplog: pytest.LogCaptureFixture
) -> None:
    registry_at(net).on(LIST, document(with_entry(index(), {"digest": ODD["digest"]}), OCI_INDEX))

    [odd] = library_way.referrers(DIGEST).value
    assert (odd.digest, odd.media_type, odd.size) == (ODD["digest"], "application/octet-stream", 0)
    assert any("media type and size" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("by_tag", [False, True], ids=["list", "tag"])
@pytest.mark.parametrize("entry", WITHOUT_DIGEST.values(), ids=WITHOUT_DIGEST)
def test_dld_24_an_entry_that_is_no_descriptor_is_left_out_with_a_warning(
    library_way: Way, net: Network, entry: object, by_tag: bool, caplog: pytest.LogCaptureFixture
) -> None:
    listing = document(with_entry(index("application/x-a"), entry), OCI_INDEX)
    registry = registry_at(net)
    registry.on(LIST, refusal("404 Not Found") if by_tag else listing).on(FALLBACK, listing)

    assert found_types(library_way.referrers(DIGEST)) == ["application/x-a"]
    [warning] = [record.getMessage() for record in caplog.records if record.levelno >= 30]
    assert "which is not a valid descriptor" in warning


NO_INDEXES: dict[str, bytes] = {
    "too many to look at each": with_entry(index(), *[None] * 1001),
    "of two kinds": index("application/x-a").replace(b'"manifests"', b'"layers": [], "manifests"'),
    "a member twice": index("application/x-a").replace(b'"size"', b'"size": 1, "size"'),
    "no list": index("application/x-a").replace(b'"manifests"', b'"entries"'),
}


@pytest.mark.parametrize("raw", NO_INDEXES.values(), ids=NO_INDEXES)
def test_dld_24_what_is_no_index_beside_its_entries_is_no_list(library_way: Way, net: Network, raw: bytes) -> None:
    registry_at(net).on(LIST, document(raw, OCI_INDEX))

    refused(library_way.referrers(DIGEST), errors.InvalidDocumentError)
