"""What `strict=False` reads: documents whose members have the right JSON type, but a wrong grammar."""

import json
import pickle
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreg_client import Descriptor, Digest, Severity, errors, parse_document, parse_manifest, validate
from dreg_client.models.parse import model_of
from dreg_client.models.rules import LENIENT_RULES
from dreg_client.values.media_type import (
    DOCKER_CONFIG,
    DOCKER_MANIFEST,
    DOCKER_MANIFEST_LIST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
)
from tests.changes import changed_tree
from tests.models.test_agreement import CASES

_BROKEN = Path(__file__).parents[2] / "fixtures" / "broken"
_ROWS = [json.loads(line) for line in (_BROKEN / "index.jsonl").read_text().splitlines()]
_ERRORS = [row for row in _ROWS if row["severity"] == "error" and row["kind"]]
_READ_ALL_THE_SAME = {
    "MED-01": "128-characters any artifact-type no-subtype parameter space",
    "URI-01": "empty relative space",
    "TIM-01": "date-alone empty no-offset no-such-day offset-of-24-hours space-for-the-t",
    "ANN-01": "null",
    "DSC-06": "line-break no-padding unused-bits url-alphabet",
    "MAN-02": "media-type-empty",
    "IDX-02": "media-type-empty",
    "CFG-15": "retries-are-negative",
}
_DIGEST = Digest.of(b"{}")


def descriptor(media_type: str = "a/b", **members: object) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _DIGEST, "size": 2, **members}


def manifest(**members: object) -> dict[str, object]:
    whole = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG), "layers": [descriptor()]}
    return {**whole, **members}


def config(**members: object) -> dict[str, object]:
    return {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}, **members}


def of_docker(layers: str, media_type: str) -> dict[str, object]:
    entry = descriptor(DOCKER_CONFIG, platform={"os": "linux", "architecture": "amd64"})
    return {
        "schemaVersion": 2,
        "mediaType": media_type,
        layers: [entry],
        **({"config": entry} if layers[0] == "l" else {}),
    }


def read(document: object, **options: Any) -> Any:
    return parse_document(json.dumps(document), strict=False, **options)


@pytest.mark.parametrize("row", _ERRORS, ids=lambda row: row["file"])
def test_only_a_wrong_grammar_is_readable(row: dict[str, Any]) -> None:
    """Digests, sizes, duplicate names, ambiguity, missing members and other JSON types are never read."""
    raw, names = (_BROKEN / row["file"]).read_bytes(), _READ_ALL_THE_SAME.get(row["rule"], "").split()
    is_readable = row["file"].removeprefix(f"{row['rule']}-").removesuffix(".json") in names

    with pytest.raises(errors.DregError):
        parse_document(raw, kind=row["kind"])
    if is_readable:
        document = parse_document(raw, kind=row["kind"], strict=False)
        assert document.problems == tuple(it for it in validate(raw, kind=row["kind"]).problems)
        assert (row["rule"], row["path"]) in {(it.rule, it.path) for it in document.problems}
    else:
        with pytest.raises(errors.DregError):
            parse_document(raw, kind=row["kind"], strict=False)


def test_every_readable_fixture_breaks_a_readable_rule() -> None:
    named = {(rule, f"{rule}-{name}.json") for rule, names in _READ_ALL_THE_SAME.items() for name in names.split()}

    assert named <= {(row["rule"], row["file"]) for row in _ERRORS}
    assert set(_READ_ALL_THE_SAME) <= set(LENIENT_RULES)


_MEMBERS: list[tuple[object, str | None, str, Any, object]] = [
    (
        manifest(layers=[descriptor("text/plain; charset=utf-8")]),
        None,
        "MED-01",
        lambda it: it.layers[0].media_type,
        "text/plain; charset=utf-8",
    ),
    (manifest(config=descriptor("")), None, "MED-01", lambda it: it.config.media_type, ""),
    (manifest(artifactType="a/b;version=0.2"), None, "MED-01", lambda it: it.artifact_type, "a/b;version=0.2"),
    (
        manifest(subject=descriptor(OCI_MANIFEST, artifactType="b")),
        None,
        "MED-01",
        lambda it: it.subject.artifact_type,
        "b",
    ),
    (manifest(mediaType=""), None, "MAN-02", lambda it: it.media_type, OCI_MANIFEST),
    (manifest(annotations={"a": None, "b": "c"}), None, "ANN-01", lambda it: it.annotations, {"a": "", "b": "c"}),
    (manifest(layers=[descriptor(urls=["/here"])]), None, "URI-01", lambda it: it.layers[0].urls, ("/here",)),
    (descriptor(data="e 30="), "descriptor", "DSC-06", lambda it: (it.data, it.embedded), ("e 30=", None)),
    ({"schemaVersion": 2, "mediaType": "", "manifests": []}, None, "IDX-02", lambda it: it.media_type, OCI_INDEX),
    (of_docker("layers", ""), "docker-manifest", "DKM-02", lambda it: it.media_type, DOCKER_MANIFEST),
    (of_docker("manifests", ""), "docker-manifest-list", "DKL-02", lambda it: it.media_type, DOCKER_MANIFEST_LIST),
    (config(created="2024-02-30T00:00:00Z"), "image-config", "TIM-01", lambda it: it.created, None),
    (
        config(history=[{"created": "", "empty_layer": True}]),
        "image-config",
        "TIM-01",
        lambda it: it.history[0].created,
        None,
    ),
    (config(config={"Labels": {"a": None}}), "image-config", "CFG-13", lambda it: it.config.labels, {"a": ""}),
    (
        config(config={"Healthcheck": {"Interval": -1}}),
        "image-config",
        "CFG-15",
        lambda it: it.config.healthcheck.interval,
        -1,
    ),
]


@pytest.mark.parametrize(("document", "kind", "rule", "member", "value"), _MEMBERS)
def test_a_readable_member_is_kept_or_read_as_the_rule_says(
    document: object, kind: str | None, rule: str, member: Any, value: object
) -> None:
    found = read(document, kind=kind)

    assert member(found) == value
    assert [it.rule for it in found.problems if it.severity is Severity.ERROR] == [rule]
    assert rule in LENIENT_RULES
    if not isinstance(found, Descriptor):  # the only kind without its bytes as an attribute
        assert found.raw == json.dumps(document).encode()


def test_every_readable_rule_is_among_these_members() -> None:
    assert {rule for _, _, rule, _, _ in _MEMBERS} == set(LENIENT_RULES)


@pytest.mark.parametrize(
    "document",
    [
        manifest(layers=[descriptor("a", size=-1)]),
        manifest(layers=[descriptor("a", digest="sha256:1")]),
        manifest(artifactType="a", annotations={"a": 1}),
        manifest(artifactType="a", annotations={"a": None, "b": 1}),
        manifest(artifactType="a", subject=descriptor(data="bm8=")),
        manifest(artifactType="a", manifests=[]),
        manifest(artifactType="a", Layers=[]),
        manifest(artifactType=1),
        manifest(mediaType="text/plain"),
        manifest(mediaType="", schemaVersion=1),
    ],
)
def test_one_error_that_is_not_readable_rejects_the_whole_document(document: object) -> None:
    with pytest.raises(errors.InvalidDocumentError) as failure:
        read(document, kind="oci-manifest")

    problems = failure.value.problems
    assert set(problems) == set(validate(json.dumps(document), kind="oci-manifest").problems)
    assert problems[0].found != '"a"'
    assert str(problems[0]) in str(failure.value)
    assert "strict=False" not in str(failure.value)


def test_the_error_says_whether_strict_false_reads_the_document() -> None:
    for document, is_readable in (
        (manifest(artifactType="a"), True),
        (manifest(artifactType="a", annotations={"a": 1}), False),
        (manifest(artifactType="a", annotations={"a": None}), True),
    ):
        with pytest.raises(errors.InvalidDocumentError) as failure:
            parse_manifest(json.dumps(document))

        assert failure.value.readable is is_readable
        assert ("strict=False" in str(failure.value)) is is_readable
        assert failure.value.at("here").readable is is_readable
        assert str(failure.value.at("here")).startswith("here: ")


def test_a_name_that_stands_twice_is_never_readable() -> None:
    raw = json.dumps(manifest(artifactType="a")).replace('"config"', '"artifactType": "b", "config"')

    with pytest.raises(errors.AmbiguousDocumentError):
        parse_manifest(raw, strict=False)


def test_a_type_that_was_served_is_compared_all_the_same() -> None:
    raw = json.dumps(manifest(artifactType="a"))

    assert parse_manifest(raw, OCI_MANIFEST, strict=False).problems[0].rule == "MED-01"
    with pytest.raises(errors.MediaTypeMismatchError):
        parse_manifest(raw, DOCKER_MANIFEST, strict=False)


def test_a_valid_document_has_its_warnings_as_its_problems() -> None:
    document = parse_manifest(json.dumps(manifest(layers=[])))

    assert [it.rule for it in document.problems] == ["MAN-08"]
    assert document.problems == document.warnings


def test_warnings_of_a_document_with_readable_errors_are_its_warnings_alone() -> None:
    document = parse_manifest(json.dumps(manifest(layers=[], artifactType="a")), strict=False)

    assert [it.rule for it in document.problems] == ["MED-01", "MAN-08"]
    assert [it.rule for it in document.warnings] == ["MAN-08"]


def test_a_document_with_readable_errors_is_kept_by_pickles() -> None:
    document = parse_manifest(json.dumps(manifest(artifactType="a")), strict=False)
    again = pickle.loads(pickle.dumps(document))

    assert again == document
    assert again.problems == document.problems


def test_a_pickle_of_an_older_version_has_no_digest_and_is_read() -> None:
    document = parse_manifest(json.dumps(manifest()))
    state = document.__getstate__()
    del state["digest"]
    again = type(document).model_construct()
    again.__setstate__(state)

    assert (again, again.digest) == (document, document.digest)


def test_the_problems_of_a_document_are_looked_for_once() -> None:
    for document in (manifest(artifactType="a"), manifest()):
        found = parse_manifest(json.dumps(document), strict=False)

        assert found.problems is found.problems


def test_a_descriptor_within_a_document_has_no_bytes_to_find_problems_in() -> None:
    with pytest.raises(errors.NoBytesError):
        _ = parse_manifest(json.dumps(manifest())).config.problems  # type: ignore[union-attr]

    assert Descriptor.parse(json.dumps(descriptor("a")), strict=False).problems[0].path == "$.mediaType"


@settings(max_examples=1000)
@given(case=st.sampled_from([case for case in CASES if case["valid"]]), random=st.randoms(use_true_random=False))
def test_what_is_read_has_no_error_but_readable_ones(case: dict[str, Any], random: Random) -> None:
    raw = changed_tree(json.loads(case["body"]), random)
    report = validate(raw, kind=case["kind"])
    try:
        document: Any = model_of(case["kind"]).parse(raw, strict=False)
    except errors.DregError:
        assert not report.ok
    else:
        assert {problem.rule for problem in report.errors} <= set(LENIENT_RULES)
        assert document.problems == report.problems
