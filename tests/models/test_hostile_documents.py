"""The MDL cases: documents that were written to be misread, to be heavy, or to break the reader."""

import base64
import json
import time
import tracemalloc

import pytest

from dreg_client import (
    Digest,
    DregError,
    ImageConfig,
    LegacyManifest,
    OciIndex,
    OciManifest,
    parse_document,
    parse_manifest,
    validate,
)
from dreg_client.errors import (
    AmbiguousDocumentError,
    InvalidDigestError,
    InvalidDocumentError,
    ResponseTooLargeError,
    UnsupportedMediaTypeError,
)
from dreg_client.values.media_type import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST

_DIGEST = Digest.of(b"{}")


def descriptor(**members: object) -> dict[str, object]:
    return {"mediaType": OCI_LAYER, "digest": _DIGEST, "size": 2, **members}


def manifest(**members: object) -> dict[str, object]:
    config = {"mediaType": OCI_CONFIG, "digest": _DIGEST, "size": 2}
    return {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [descriptor()], **members}


def text(tree: object) -> bytes:
    return json.dumps(tree).encode()


@pytest.mark.parametrize("rival", ["manifests", "fsLayers"])
@pytest.mark.parametrize("value", [[], None, [1], {}])
def test_mdl_01_a_document_of_two_kinds_is_ambiguous(rival: str, value: object) -> None:
    with pytest.raises(AmbiguousDocumentError) as refused:
        OciManifest.parse(text(manifest(**{rival: value})))

    assert [(problem.rule, problem.path) for problem in refused.value.problems if problem.rule == "GEN-06"] == [
        ("GEN-06", f"$.{rival}")
    ]


@pytest.mark.parametrize("rival", ["Layers", "CONFIG", "FSLayers", "fslayer\u017f"])
def test_mdl_01_nor_does_it_in_another_letter_case(rival: str) -> None:
    with pytest.raises(AmbiguousDocumentError) as refused:
        parse_manifest(text({"schemaVersion": 2, "manifests": [], rival: None}))
    assert [problem.rule for problem in refused.value.problems] == ["GEN-08"]
    with pytest.raises(AmbiguousDocumentError):
        OciManifest.parse(text(manifest(Manifests=[])))


@pytest.mark.parametrize("rival", ["layers", "config", "fsLayers"])
def test_mdl_01_an_index_has_nothing_of_a_manifest(rival: str) -> None:
    with pytest.raises(AmbiguousDocumentError):
        parse_manifest(text({"schemaVersion": 2, "manifests": [], rival: None}))


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b'{"schemaVersion":2,"schemaVersion":2,"manifests":[]}', "$.schemaVersion"),
        (b'{"schemaVersion":2,"manifests":[],"a":{"b":1,"b":2}}', "$.a.b"),
        (b'{"schemaVersion":2,"manifests":[],"x":[{"\\u0061":1,"a":1}]}', "$.x[0].a"),
        (b'{"schemaVersion":2,"manifests":[{"digest":"a","digest":"b"}]}', "$.manifests[0].digest"),
    ],
)
def test_mdl_04_a_member_twice_is_ambiguous_and_its_place_is_told(raw: bytes, path: str) -> None:
    with pytest.raises(AmbiguousDocumentError) as refused:
        OciIndex.parse(raw)

    assert ("GEN-02", path) in {(problem.rule, problem.path) for problem in refused.value.problems}


@pytest.mark.parametrize("size", [-1, None, "2", 2.0, True, 2**63, 1e3])
def test_mdl_08_a_size_that_is_none_is_refused(size: object) -> None:
    with pytest.raises(InvalidDocumentError) as refused:
        OciManifest.parse(text(manifest(config=descriptor(size=size))))

    assert [(problem.rule, problem.path) for problem in refused.value.problems] == [("DSC-03", "$.config.size")]


def test_mdl_08_the_largest_size_costs_nothing() -> None:
    raw = text(manifest(config=descriptor(size=2**63 - 1)))
    tracemalloc.start()
    parsed = OciManifest.parse(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert parsed.config.size == 2**63 - 1
    assert peak < 1 << 20


@pytest.mark.parametrize(
    "digest",
    ["sha256:../../../etc/passwd", "sha256:/etc/passwd", "sha256:a b", f"{_DIGEST} ", f" {_DIGEST}", f"{_DIGEST}\n"],
)
def test_mdl_09_a_digest_that_leads_elsewhere_is_refused(digest: str) -> None:
    with pytest.raises(InvalidDocumentError) as refused:
        OciManifest.parse(text(manifest(config=descriptor(digest=digest))))
    with pytest.raises(InvalidDigestError):
        Digest(digest)

    assert [(problem.rule, problem.path) for problem in refused.value.problems] == [("DIG-01", "$.config.digest")]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ("e30", "DSC-06"),
        ("e30=\n", "DSC-06"),
        ("e31=", "DSC-06"),
        ("e3-_", "DSC-06"),
        ("é", "DSC-06"),
        (base64.b64encode(b"{} ").decode(), "DSC-07"),
        (base64.b64encode(b"[]").decode(), "DSC-07"),
        (5, "DSC-06"),
    ],
)
def test_mdl_10_embedded_content_that_is_not_what_it_says_is_refused(data: object, rule: str) -> None:
    with pytest.raises(InvalidDocumentError) as refused:
        OciManifest.parse(text(manifest(config=descriptor(data=data))))

    assert [(problem.rule, problem.path) for problem in refused.value.problems] == [(rule, "$.config.data")]


def test_mdl_10_embedded_content_over_64_kib_is_warned_of() -> None:
    octets = b"x" * (64 * 1024 + 1)
    large = descriptor(data=base64.b64encode(octets).decode(), size=len(octets), digest=Digest.of(octets))
    fitting = descriptor(data=base64.b64encode(octets[1:]).decode(), size=65536, digest=Digest.of(octets[1:]))

    warnings = OciManifest.parse(text(manifest(layers=[large, fitting]))).warnings

    assert [(warning.rule, warning.path) for warning in warnings] == [("DSC-07", "$.layers[0].data")]


@pytest.mark.parametrize("opener", [b"[", b'{"a":', b'[{"a":'])
def test_mdl_11_very_deep_nesting_is_refused_at_once(opener: bytes) -> None:
    start = time.perf_counter()

    with pytest.raises(InvalidDocumentError):
        OciManifest.parse(opener * 200_000)

    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("NaN", "GEN-03"),
        ("Infinity", "GEN-03"),
        ("-Infinity", "GEN-03"),
        ("1e999", "GEN-03"),
        ("-1e999", "GEN-03"),
        ("9" * 5000, "GEN-03"),
        ('"\\ud800"', "GEN-01"),
        ('"\\u0000"', "GEN-01"),
        ('{"\\u0000":1}', "GEN-01"),
        ("01", "GEN-01"),
        ("'a'", "GEN-01"),
        ("1 /* no */", "GEN-01"),
        ('"\n"', "GEN-01"),
    ],
)
def test_mdl_12_values_that_parsers_disagree_on_are_refused_in_unknown_members_too(value: str, rule: str) -> None:
    raw = text(manifest())[:-1] + f',"x":{value}}}'.encode()

    with pytest.raises(InvalidDocumentError) as refused:
        OciManifest.parse(raw)

    assert {problem.rule for problem in refused.value.problems} == {rule}


@pytest.mark.parametrize("around", [b"\xef\xbb\xbf%s", b"%s{}", b"%s\0", b"%s,", b"%s]", b"[%s]", b"\xff%s", b""])
def test_mdl_12_text_that_is_more_or_less_than_one_object_is_refused(around: bytes) -> None:
    raw = around.replace(b"%s", text(manifest()))

    assert [problem.rule for problem in validate(raw, kind="oci-manifest").errors] == ["GEN-01"]
    with pytest.raises(InvalidDocumentError):
        OciManifest.parse(raw)


def test_mdl_12_nul_in_a_config_is_a_warning() -> None:
    raw = text({"architecture": "a", "os": "b", "rootfs": {"type": "layers", "diff_ids": []}, "author": "a\0b"})

    assert [warning.rule for warning in ImageConfig.parse(raw).warnings] == ["GEN-01"]


def test_mdl_13_what_is_unknown_and_how_it_is_written_is_kept() -> None:
    raw = b' {"x":{"y":[1,{"z":null}]}, "layers" : [],\n"schemaVersion":2,"config":' + text(descriptor()) + b"}\r\n"

    document = parse_manifest(raw)

    assert document.raw == raw
    assert document.digest == Digest.of(raw)
    assert document.size == len(raw)
    assert document.unknown_members == {"x": {"y": (1, {"z": None})}}


def test_mdl_14_ten_thousand_descriptors_are_read_and_one_more_is_refused() -> None:
    entries = [descriptor()] * 10_000
    fitting = text({"schemaVersion": 2, "manifests": entries})

    assert len(OciIndex.parse(fitting).manifests) == 10_000
    report = validate(text({"schemaVersion": 2, "manifests": [*entries, descriptor()]}))
    assert [(problem.rule, problem.path) for problem in report.errors] == [("IDX-10", "$.manifests")]


def test_mdl_15_schema_1_and_unknown_types_are_unsupported_with_their_digest() -> None:
    legacy = b'{"schemaVersion": 1, "name": "a", "tag": "b", "fsLayers": [{"blobSum": "' + _DIGEST.encode() + b'"}]}'
    evil = text(manifest(mediaType="application/vnd.evil+json"))

    for raw in (legacy, evil):
        with pytest.raises(UnsupportedMediaTypeError) as refused:
            parse_manifest(raw)
        assert refused.value.digest == Digest.of(raw)
    read = parse_manifest(legacy, legacy=True)
    assert isinstance(read, LegacyManifest)
    assert read.layers == (_DIGEST,)
    with pytest.raises(UnsupportedMediaTypeError):
        parse_manifest(text(manifest()), "text/html")


@pytest.mark.parametrize("raw", [b"[]", b"null", b'{"schemaVersion":2,"manifests":[]}', b""])
def test_mdl_17_a_config_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidDocumentError):
        parse_document(raw, kind="image-config")


def test_mdl_17_a_document_over_the_limit_is_not_read() -> None:
    raw = text(manifest(x="y" * 1000))

    assert OciManifest.parse(raw, limit=len(raw)).size == len(raw)
    for refused in (
        lambda: OciManifest.parse(raw, limit=len(raw) - 1),
        lambda: parse_manifest(raw, limit=len(raw) - 1),
    ):
        with pytest.raises(ResponseTooLargeError):
            refused()
    assert [problem.rule for problem in validate(raw, limit=len(raw) - 1).problems] == ["GEN-05"]


def test_mdl_18_what_go_writes_as_null_is_absent_and_what_we_write_has_none() -> None:
    entry = descriptor(annotations=None, platform=None, urls=[], data=None, artifactType=None)
    raw = text(manifest(layers=None, annotations=None, subject=None, config={**entry, "mediaType": OCI_CONFIG}))

    read = OciManifest.parse(raw)

    assert read.layers == ()
    assert read.annotations is None
    assert [(warning.rule, warning.path) for warning in read.warnings] == [
        ("MAN-08", "$.layers"),
        ("GEN-10", "$.layers"),
    ]
    written = OciManifest.build(
        schema_version=2, media_type=OCI_MANIFEST, config=read.config, layers=[], annotations=None
    )
    assert b"null" not in written.raw
    assert b"annotations" not in written.raw


def test_mdl_20_a_subject_is_data() -> None:
    assert OciManifest.parse(text(manifest(subject=descriptor(mediaType=OCI_INDEX)))).subject is not None


def test_gen_13_a_string_is_a_mebibyte_at_most() -> None:
    fitting = "é" * (1 << 19)

    assert OciManifest.parse(text_of(manifest(x=fitting))).size > 1 << 20
    report = validate(text_of(manifest(x=fitting + "é")))
    assert [(problem.rule, problem.path) for problem in report.errors] == [("GEN-13", "$.x")]


def text_of(tree: object) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode()


@pytest.mark.parametrize(("levels", "accepted"), [(62, True), (63, False)])
@pytest.mark.parametrize(("opener", "closer"), [("[", "]"), ('{"a":', "}")])
def test_gen_04_the_64th_level_is_the_last(levels: int, accepted: bool, opener: str, closer: str) -> None:
    """The document is the first level, the unknown member's value the second."""
    raw = text(manifest())[:-1] + f',"x":{opener * levels}[]{closer * levels}}}'.encode()

    assert validate(raw).ok is accepted
    if accepted:
        assert OciManifest.parse(raw).raw == raw
    else:
        with pytest.raises(DregError):
            OciManifest.parse(raw)
