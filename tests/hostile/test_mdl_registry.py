"""Documents of a registry: what they are served as, what they lead to, how far: MDL-02, -03, -08 and -13 to -20."""

import json
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Descriptor, Digest, Platform, errors
from tests.faultserver import Network, Piece, answer, head
from tests.hostile.downloads import SOCKETS, Tap, blob_path, held
from tests.hostile.evil import Written, config, index, manifest, text
from tests.hostile.registry import (
    CONFIG,
    DIGEST,
    LAYER,
    MANIFEST,
    MANIFESTS,
    OCI_INDEX,
    OCI_MANIFEST,
    document,
    registry_at,
)
from tests.hostile.ways import Outcome, Way, refused
from tests.http.documents import LAYER_TYPE, OCI_CONFIG, described

AMD64 = Platform.from_name("linux/amd64")
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
LEGACY = "application/vnd.docker.distribution.manifest.v1+prettyjws"
STATED = {"platform": {"architecture": "amd64", "os": "linux"}}
MIB = 1 << 20


def served(net: Network, raw: bytes, media_type: str = OCI_MANIFEST, *headers: str) -> Any:
    """A registry with a document at the tag `bad`, and by its digest."""
    registry = registry_at(net)
    for name in ("bad", Digest.of(raw)):
        registry.on(f"{MANIFESTS}/{name}", document(raw, media_type, *headers))
    return registry


def raw_of(outcome: Outcome) -> bytes:
    """The bytes that were given."""
    assert outcome.kind is None, outcome.text
    return outcome.value if isinstance(outcome.value, bytes) else outcome.value.raw


def platform_config(way: Way, reference: str = "bad") -> Outcome:
    """The config of one platform, by way of an index."""

    def by_threads(repository: Any) -> Any:
        return repository.get_image(reference).get_platform_image(AMD64).config

    async def by_tasks(repository: Any) -> Any:
        return (await (await repository.get_image(reference)).get_platform_image(AMD64)).config

    if way.name == "command line":
        return way.command("config", f"registry.test/acme/web:{reference}", "--platform", "linux/amd64")
    return way.ask(by_tasks if way.name == "tasks" else by_threads)


# --- what it is served as


@pytest.mark.parametrize("kind", [OCI_INDEX, DOCKER_MANIFEST, f"{OCI_INDEX}; charset=utf-8"])
def test_mdl_02_a_document_of_another_type_than_it_is_served_as_is_refused(way: Way, net: Network, kind: str) -> None:
    served(net, MANIFEST, kind)

    assert not refused(way.manifest("bad"), errors.MediaTypeMismatchError).value


@pytest.mark.parametrize(
    "kind",
    [
        OCI_MANIFEST,
        f"{OCI_MANIFEST}; charset=utf-8",
        OCI_MANIFEST.upper(),
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "application/octet-stream",
        "",
    ],
)
@pytest.mark.parametrize("says_so", [True, False])
def test_mdl_03_a_type_that_says_nothing_leaves_it_to_the_body(
    library_way: Way, net: Network, kind: str, says_so: bool
) -> None:
    raw = MANIFEST if says_so else text({key: value for key, value in manifest().items() if key != "mediaType"})
    said = answer(raw, "200 OK", *([f"Content-Type: {kind}"] if kind else []))
    registry_at(net).on(f"{MANIFESTS}/bad", said)

    outcome = library_way.manifest("bad")
    assert raw_of(outcome) == raw
    assert outcome.value.media_type == OCI_MANIFEST


@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8", "application/xhtml+xml", "no type"])
def test_mdl_03_a_page_is_no_manifest(way: Way, net: Network, kind: str) -> None:
    served(net, MANIFEST, kind)

    assert not refused(way.manifest("bad"), errors.UnsupportedMediaTypeError).value


def test_mdl_15_schema_1_is_read_only_where_it_is_asked_for(library_way: Way, net: Network) -> None:
    raw = text(
        {
            "schemaVersion": 1,
            "name": "acme/web",
            "tag": "1",
            "architecture": "amd64",
            "fsLayers": [{"blobSum": str(Digest.of(LAYER))}],
            "history": [{"v1Compatibility": "{}"}],
        }
    )
    served(net, raw, LEGACY, f"Docker-Content-Digest: {Digest.of(raw)}")

    refused(library_way.manifest("bad"), errors.UnsupportedMediaTypeError)
    refused(library_way.config("bad"), errors.UnsupportedMediaTypeError)
    asked = library_way.ask(lambda it: it.get_raw_manifest("bad"))
    assert raw_of(asked) == raw
    assert asked.value.digest == Digest.of(raw)


def test_mdl_15_an_unknown_type_is_given_raw_alone(way: Way, net: Network) -> None:
    raw = text(manifest(mediaType="application/vnd.evil+json"))
    served(net, raw, "application/vnd.evil+json")

    assert not refused(way.manifest("bad"), errors.UnsupportedMediaTypeError).value
    if way.name == "command line":
        assert way.command("manifest", "--raw", "registry.test/acme/web:bad").value == raw
    else:
        assert raw_of(way.ask(lambda it: it.get_raw_manifest("bad"))) == raw


UNTYPED = text({key: value for key, value in manifest().items() if key != "mediaType"})
CHILDREN = {
    "served as it": (MANIFEST, OCI_MANIFEST),
    "served as json": (MANIFEST, "application/json"),
    "by its head alone": (UNTYPED, OCI_MANIFEST),
}


@pytest.mark.parametrize(("raw", "said"), CHILDREN.values(), ids=CHILDREN)
def test_mdl_16_a_child_of_another_type_than_its_index_says_is_refused(
    way: Way, net: Network, raw: bytes, said: str
) -> None:
    registry = served(net, text(index({**described(raw, DOCKER_MANIFEST), **STATED})), OCI_INDEX)
    registry.on(f"{MANIFESTS}/{Digest.of(raw)}", document(raw, said))

    refused(platform_config(way), errors.MediaTypeMismatchError)
    assert not [asked for asked in registry.asked if "/blobs/" in asked]


# --- sizes, configs


@pytest.mark.parametrize("size", [(1 << 63) - 1, 1 << 40])
def test_mdl_08_a_size_that_is_not_true_takes_no_memory(
    library_way: Way, net: Network, tmp_path: Path, size: int
) -> None:
    registry_at(net).on(blob_path(b"ten bytes!"), answer(b"ten bytes!"))
    wanted = Descriptor(mediaType=LAYER_TYPE, digest=Digest.of(b"ten bytes!"), size=size)
    library_way.ping()  # what is imported on the way is not what is measured

    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    refused(library_way.ask(lambda it: it.download_blob(wanted, tmp_path / "layer")), errors.SizeMismatchError)
    refused(library_way.ask(lambda it: it.get_blob(wanted)), errors.SizeMismatchError, errors.ResponseTooLargeError)
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert grown < 10 * MIB  # of TLS; a size that were believed would be far more
    assert not {name for name in held(tmp_path) if not name.startswith("net")}


@pytest.mark.parametrize("size", [(1 << 63) - 1, 2 << 30])
def test_mdl_08_mdl_17_a_config_that_says_to_be_huge_is_not_asked_for(way: Way, net: Network, size: int) -> None:
    registry = served(net, text(manifest(config=config(size=size))))

    refused(way.config("bad"), errors.ResponseTooLargeError, errors.SizeMismatchError)
    assert not [asked for asked in registry.asked if "/blobs/" in asked]


@pytest.mark.parametrize("body", [text(index()), b"[]", b"null", b"", b'"x"'], ids=ascii)
def test_mdl_17_a_config_that_is_something_else_is_refused(library_way: Way, net: Network, body: bytes) -> None:
    registry = served(net, text(manifest(config=described(body, OCI_CONFIG))))
    registry.on(blob_path(body), answer(body))

    refused(library_way.config("bad"), errors.InvalidDocumentError)


def test_mdl_17_the_command_line_prints_it_as_it_is_and_says_what_is_wrong(net: Network) -> None:
    registry = served(net, text(manifest(config=described(text(index()), OCI_CONFIG))))
    registry.on(blob_path(text(index())), answer(text(index())))

    assert refused(Way("command line", net).config("bad"), errors.InvalidDocumentError).value == text(index())


def test_mdl_17_a_config_of_another_length_is_left(way: Way, net: Network) -> None:
    def pieces() -> Iterable[bytes]:
        yield head("200 OK", f"Content-Length: {2 << 30}") + CONFIG
        while True:
            yield b" " * 65536

    tap = Tap(pieces)
    registry = registry_at(net).on(blob_path(CONFIG), tap)

    refused(way.config("1.4"), errors.SizeMismatchError, errors.ResponseTooLargeError)
    registry.wait_until_idle()
    assert tap.taken < SOCKETS


def test_mdl_17_a_config_that_says_to_be_none_is_not_read(library_way: Way, net: Network) -> None:
    registry = served(net, text(manifest(config=described(CONFIG, "application/vnd.acme.settings+json"))))

    refused(library_way.config("bad"), errors.NotAnImageError)
    assert not [asked for asked in registry.asked if "/blobs/" in asked]


def test_mdl_12_nul_in_a_config_is_no_error(way: Way, net: Network) -> None:
    raw = text({**json.loads(CONFIG), "author": "a\0b"})
    registry = served(net, text(manifest(config=described(raw, OCI_CONFIG))))
    registry.on(blob_path(raw), answer(raw))

    assert raw_of(way.config("bad")) == raw


# --- what is kept


UNUSUAL = (
    b' {"layers" : [' + json.dumps(described(LAYER, LAYER_TYPE)).encode() + b"],\r\n"
    b'\t"x-unknown":{"y":[1,{"z":null}], "\\u00e9": 1.0e2},"annotations":{"not.known":"\\u00fc"},'
    b'"config":' + json.dumps(config()).encode() + b',"schemaVersion":2  }\n'
)


def test_mdl_13_what_is_unknown_and_how_it_is_written_is_kept(way: Way, net: Network) -> None:
    taken: list[bytes] = []
    registry = served(net, UNUSUAL)

    def put(heard: Any) -> Piece:
        taken.append(heard.body)
        return answer(b"", "201 Created", f"Docker-Content-Digest: {Digest.of(heard.body)}")

    registry.on(f"{MANIFESTS}/new", put, method="PUT")

    assert raw_of(way.manifest("bad")) == UNUSUAL
    found = way.tag("bad", "new")
    assert found.kind is None, found.text
    assert taken == [UNUSUAL]


def test_mdl_13_a_layout_gives_it_as_it_lies_there(way: Way, tmp_path: Path) -> None:
    layout = Written(tmp_path / "layout").hold(UNUSUAL, OCI_MANIFEST)

    assert raw_of(layout.ask(way, lambda it: it.get_manifest("bad"), "manifest")) == UNUSUAL


def test_mdl_18_what_go_writes_as_null_is_absent(way: Way, net: Network, tmp_path: Path) -> None:
    layer = {**described(LAYER, LAYER_TYPE), "annotations": None, "urls": [], "platform": None}
    raws = [
        text(manifest(layers=[layer], annotations=None, subject=None)),
        text(manifest(layers=None, artifactType=None, annotations=None)),
    ]
    for number, raw in enumerate(raws):
        registry_at(net).on(f"{MANIFESTS}/bad", document(raw))
        layout = Written(tmp_path / f"layout{number}").hold(raw, OCI_MANIFEST)

        assert raw_of(way.manifest("bad")) == raw
        assert raw_of(layout.ask(way, lambda it: it.get_manifest("bad"), "manifest")) == raw


# --- how far


def nested(levels: int) -> list[bytes]:
    """Indexes in each other, the outermost last; the innermost lists an image."""
    raws = [text(index({**described(MANIFEST, OCI_MANIFEST), **STATED}))]
    while len(raws) < levels:
        raws.append(text(index(described(raws[-1], OCI_INDEX))))
    return raws


@pytest.mark.parametrize(("levels", "error"), [(8, None), (9, errors.DepthLimitError)])
def test_mdl_14_indexes_in_each_other_end(
    way: Way, net: Network, levels: int, error: type[errors.DregError] | None
) -> None:
    raws = nested(levels)
    registry = served(net, raws[-1], OCI_INDEX)
    for raw in raws:
        registry.on(f"{MANIFESTS}/{Digest.of(raw)}", document(raw, OCI_INDEX))

    outcome = platform_config(way)
    assert outcome.kind is error, outcome.text
    assert len(registry.requests) <= levels + 2


@pytest.mark.parametrize(("count", "error"), [(1000, None), (1001, errors.LimitExceededError)])
def test_mdl_14_a_thousand_referrers_are_the_most(
    library_way: Way, net: Network, count: int, error: type[errors.DregError] | None
) -> None:
    entries = [described(b"%d" % number, OCI_INDEX) for number in range(count)]
    registry = registry_at(net).on(
        f"/v2/acme/web/referrers/{DIGEST}", answer(text(index(*entries)), "200 OK", f"Content-Type: {OCI_INDEX}")
    )

    outcome = library_way.referrers(DIGEST)
    if error is None:
        assert len(outcome.value) == count
    else:
        refused(outcome, error)
    assert len(registry.requests) == 1


URLS = ["file:///etc/passwd", "http://169.254.169.254/latest", "https://evil.test/layer", "http://127.0.0.1/x"]


def test_mdl_19_urls_of_layers_are_not_asked(way: Way, net: Network, tmp_path: Path) -> None:
    strangers = [
        net.host("evil.test").on("/layer", answer(LAYER)),
        net.host("metadata.test", scheme="http", address="169.254.169.254"),
        net.host("here.test", scheme="http", address="127.0.0.1"),
    ]
    foreign = b"a layer that lies elsewhere"
    layer = {**described(foreign, LAYER_TYPE), "urls": URLS}
    registry = served(net, text(manifest(layers=[layer])))

    assert way.manifest("bad").kind is None
    assert way.config("bad").kind is None
    refused(way.blob(Digest.of(foreign), tmp_path / "layer"), errors.NotFoundError)
    if way.name != "command line":
        wanted = Descriptor.model_validate(layer)
        refused(way.ask(lambda it: it.download_blob(wanted, tmp_path / "layer")), errors.NotFoundError)
    assert not any(stranger.connections for stranger in strangers)
    assert registry.asked[-1].startswith("GET /v2/acme/web/blobs/")
    assert not (tmp_path / "layer").exists()


def test_mdl_20_a_subject_is_data_and_nobody_follows_it(way: Way, net: Network) -> None:
    raw = text(manifest(subject={**described(MANIFEST, OCI_INDEX)}))
    registry = served(net, raw)
    itself = text(index({**described(raw, OCI_MANIFEST), "artifactType": "application/x"}))
    registry.on(f"/v2/acme/web/referrers/{Digest.of(raw)}", answer(itself, "200 OK", f"Content-Type: {OCI_INDEX}"))

    assert raw_of(way.manifest("bad")) == raw
    assert way.config("bad").kind is None
    found = way.referrers(Digest.of(raw))
    assert found.kind is None, found.text
    assert f"GET {MANIFESTS}/{DIGEST}" not in registry.asked
