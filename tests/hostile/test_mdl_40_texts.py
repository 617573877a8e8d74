"""Numbers, nesting and strings of documents at which other parsers fail, or that take long: MDL-40 to MDL-43."""

import json
import sys
from pathlib import Path
from time import process_time

import pytest

from dreg_client import LineRules, Report, validate, validate_lines
from dreg_client.models.listing import read_entries
from tests.commands import run_limited
from tests.faultserver import Network, answer, sentence
from tests.hostile.registry import DIGEST, OCI_INDEX, registry_at
from tests.hostile.ways import Way

LIST = f"/v2/acme/web/referrers/{DIGEST}"
OTHER = f"sha256:{'b' * 64}"
HUGE = 10**30
MEMBER = LineRules(field="m")
MANIFEST = {"schemaVersion": 2, "manifests": []}
"""The plain form of an index."""


# --- MDL-40: integers of more than 64 bits


@pytest.mark.parametrize(
    "odd",
    [{"x": HUGE}, {"x": [{"y": -HUGE}]}, {"annotations": {"a": HUGE}}],
    ids=["unknown", "deep", "annotation"],
)
def test_mdl_40_a_referrer_with_a_huge_number_is_listed(way: Way, net: Network, odd: dict[str, object]) -> None:
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": OTHER, "size": 7, **odd}
    page = sentence({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]})
    registry_at(net).on(LIST, answer(page, "200 OK", f"Content-Type: {OCI_INDEX}"))
    outcome = way.referrers(DIGEST)

    assert outcome.kind is None, outcome.text
    assert OTHER[:19] in str(outcome.value)


def test_mdl_40_nor_is_a_huge_size_an_error_of_another_library() -> None:
    index = {**MANIFEST, "manifests": [{"mediaType": "a/b", "digest": OTHER, "size": HUGE}]}
    [entry] = read_entries(json.dumps(index).encode(), 10) or ()

    assert [problem.rule for problem in entry.problems] == ["DSC-03"]


# --- MDL-41: documents in the lines of a dump


def report_of(line: bytes, how: LineRules = MEMBER) -> Report:
    [found] = validate_lines([line], how)
    return found.report


@pytest.mark.parametrize("levels", [63, 200, 253, 254, 255, 900, 1023, 1024, 5000, 100_000])
@pytest.mark.parametrize("form", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_mdl_41_a_deep_document_in_a_line_is_reported(levels: int, form: tuple[str, str]) -> None:
    before, after = form
    report = report_of(f'{{"m":{before * levels}1{after * levels}}}'.encode())

    assert not report.ok
    assert {problem.rule for problem in report.errors} <= {"GEN-01", "GEN-04", "GEN-12"}


def test_mdl_41_a_deep_member_beside_the_document_is_nothing_to_it() -> None:
    deep = "[" * 900 + "]" * 900

    assert report_of(json.dumps({"m": json.dumps(MANIFEST), "x": 0}).replace("0}", f"{deep}}}").encode()).ok


AMBIGUOUS = {
    "twice in the document": ('{"m":{"schemaVersion":2,"schemaVersion":2,"manifests":[]}}', "$.schemaVersion"),
    "deep in the document": ('{"m":{"schemaVersion":2,"manifests":[],"x":[{"a":1,"a":1}]}}', "$.x[0].a"),
    "two documents": ('{"m":1,"m":{"schemaVersion":2,"manifests":[]}}', "$"),
    "two texts": ('{"m":"1","m":"{\\"schemaVersion\\":2,\\"manifests\\":[]}"}', "$"),
    "an escaped name": ('{"\\u006d":"1","m":"{\\"schemaVersion\\":2,\\"manifests\\":[]}"}', "$"),
}


@pytest.mark.parametrize(("line", "path"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_mdl_41_a_line_that_may_be_read_differently_is_rejected(line: str, path: str) -> None:
    [problem] = report_of(line.encode()).errors

    assert problem.rule == "GEN-02"
    assert problem.path == path


@pytest.mark.parametrize("name", ["mediaType", "m"])
def test_mdl_41_so_is_one_with_two_media_types(name: str) -> None:
    text = json.dumps(json.dumps(MANIFEST))
    line = f'{{"m":{text},"{name}":"a/b","mediaType":"application/vnd.oci.image.index.v1+json"}}'
    how = LineRules(field="m", media_type_field="mediaType")

    assert [problem.rule for problem in report_of(line.encode(), how).errors] == ["GEN-02"]


@pytest.mark.parametrize("more", ['"x":{"a":1,"a":2}', '"x":123456789012345678901234567890', '"y":"é"'])
def test_mdl_41_the_other_members_of_a_line_may_have_any_text(more: str) -> None:
    for document in (json.dumps(MANIFEST), json.dumps(json.dumps(MANIFEST))):
        assert report_of(f'{{ "m" : {document}, {more} }}'.encode()).ok


def test_mdl_41_numbers_of_a_document_in_a_line_stay_exact() -> None:
    assert report_of(f'{{"m":{{"schemaVersion":2,"manifests":[],"x":{HUGE}}}}}'.encode()).ok


# --- MDL-42: time

SLOW = {
    "letters": ('"é"', "oci-index"),
    "NUL in an index": ('"\\u0000"', "oci-index"),
    "NUL in a config": ('"\\u0000"', "image-config"),
    "numbers": ("1e999", "oci-index"),
}


@pytest.mark.parametrize(("value", "kind"), SLOW.values(), ids=SLOW)
def test_mdl_42_many_values_at_a_long_path_take_no_long_time(value: str, kind: str) -> None:
    name, count = "ké" * 120, 60_000
    deep = f'{{"{name}":' * 55 + "[" + ",".join([value] * count) + "]" + "}" * 55
    config = '"architecture":"a","os":"b","rootfs":{"type":"layers","diff_ids":[]}'
    raw = f'{{"schemaVersion":2,"manifests":[],{config},"y":1.0e0,"x":{deep}}}'
    start = process_time()
    report = validate(raw, kind=kind)

    assert len(report.problems) in {0, 1001}
    assert process_time() - start < 6  # it was a hundred times that


# --- MDL-43: memory of patterns

TEXTS = {
    "org.opencontainers.image.url": '"a:" + "%41" * 340_000',
    "org.opencontainers.image.source": '"a:" + "a" * 1_000_000 + "\\u00e9"',
    "org.opencontainers.image.ref.name": '"a-" * 500_000 + "a"',
    "org.opencontainers.image.licenses": '"(a " * 300_000',
}
PEAK = """
import json, resource, sys
from dreg_client import validate
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
entry = {"mediaType": "a/b", "digest": "sha256:" + "b" * 64, "size": 1}
def raw(annotations):
    index = {"schemaVersion": 2, "manifests": [{**entry, "annotations": annotations}]}
    return json.dumps(index, separators=(",", ":"), ensure_ascii=False).encode()
validate(raw({"a.b": "c"}), pedantic=True)
before = peak()
validate(raw({NAME: TEXT}), pedantic=True)
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
@pytest.mark.parametrize(
    ("name", "text"), [*((repr(name), text) for name, text in TEXTS.items()), ('"a." * 500_000 + "a"', '"x"')]
)
def test_mdl_43_a_pattern_needs_no_memory_for_each_character(name: str, text: str) -> None:
    done = run_limited(
        [sys.executable, "-c", PEAK.replace("NAME", name).replace("TEXT", text)], capture_output=True, check=True
    )

    assert int(done.stdout) < 60 * 1024, f"{int(done.stdout) // 1024} MiB"
