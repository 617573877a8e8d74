"""A document of very many problems: the first 1,000 of each severity are told, one more says so, then nobody looks."""

import json
from collections import Counter

import pytest

from dreg_client import Digest, Report, parse_document, validate
from dreg_client.errors import AmbiguousDocumentError, InvalidDocumentError
from dreg_client.errors.problems import Severity
from dreg_client.models.json_text import scan

_MANY = 20_000
_NO_MORE = "; only the first 1,001 errors of this document are listed"


def manifest(more: str) -> str:
    descriptor = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest.of(b"{}"), "size": 2}
    tree = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/x.y",
        "config": descriptor,
        "layers": [descriptor],
    }
    return f"{json.dumps(tree)[:-1]}, {more}}}"


def config(**members: object) -> str:
    rootfs = {"type": "layers", "diff_ids": []}
    return json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs, **members})


def counted(report: Report) -> Counter[Severity]:
    return Counter(problem.severity for problem in report.problems)


FAULTY = {
    "GEN-01": '"x": [' + ",".join(['"\\ud800"'] * _MANY) + "]",
    "GEN-02": ",".join(f'"x{number}": 0, "x{number}": 0' for number in range(_MANY)),
    "GEN-03": '"x": [' + ",".join(["1e400"] * _MANY) + "]",
    "ANN-01": '"annotations": {' + ",".join(f'"com.example.{number}": 1' for number in range(_MANY)) + "}",
}


@pytest.mark.parametrize("rule", FAULTY)
def test_a_thousand_errors_and_one_are_told_and_the_last_says_that_it_is_the_last(rule: str) -> None:
    report = validate(manifest(FAULTY[rule]))

    assert (report.kind, report.ok, len(report.errors)) == ("oci-manifest", False, 1001)
    assert {problem.rule for problem in report.errors} == {rule}
    assert report.errors[-1].found.endswith(_NO_MORE)
    assert not any(problem.found.endswith(_NO_MORE) for problem in report.errors[:-1])


@pytest.mark.parametrize("rule", FAULTY)
def test_whoever_parses_is_told_the_same_as_whoever_validates(rule: str) -> None:
    text = manifest(FAULTY[rule])
    with pytest.raises(InvalidDocumentError) as caught:
        parse_document(text)

    assert caught.value.problems == validate(text).problems
    assert isinstance(caught.value, AmbiguousDocumentError) == (rule == "GEN-02")


def test_a_thousand_errors_are_told_as_they_are() -> None:
    report = validate(manifest('"x": [' + ",".join(["1e400"] * 1000) + "]"))

    assert len(report.errors) == 1000
    assert report.errors[-1].found == "1e400"


@pytest.mark.parametrize(
    "many",
    [
        {"config": {"Env": ["no assignment"] * _MANY}},
        {"history": [{"created_by": "\0", "empty_layer": True}] * _MANY},
    ],
)
def test_warnings_without_end_hide_no_error(many: dict[str, object]) -> None:
    right, wrong = validate(config(**many), kind="image-config"), validate(config(**many, os=1), kind="image-config")
    late = validate(config(**many, zz="1e400").replace('"1e400"', "1e400"), kind="image-config")

    assert right.ok
    assert counted(right) == {Severity.WARNING: 1001}
    assert right.warnings[-1].found.endswith("; only the first 1,001 warnings of this document are listed")
    assert [problem.rule for problem in wrong.errors] == ["CFG-01"]
    assert [problem.rule for problem in late.errors] == ["GEN-03"]


def test_notes_without_end_hide_no_warning() -> None:
    members = {f"x{number}": 0 for number in range(_MANY)}
    report = validate(config(**members, architecture=""), kind="image-config", pedantic=True)

    assert counted(report) == {Severity.NOTE: 1001, Severity.WARNING: 1}


def test_what_is_nested_too_deeply_behind_a_thousand_errors_is_not_read_by_a_model() -> None:
    tree, problems = scan(('{"x": [' + "1e400," * 2000 + "0], " + '"y": ' + "[" * 500 + "]" * 500 + "}").encode())

    assert tree is None
    assert len(problems) == 1001
