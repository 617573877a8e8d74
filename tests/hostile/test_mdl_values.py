"""Texts that are small but take much memory once parsed (MDL-21), and texts that are deep (MDL-22)."""

import hashlib
import json
import logging
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from dreg_client import Layout, LineRules, errors, parse_document, parse_manifest, validate, validate_lines
from dreg_client.credentials.config_file import ConfigFile
from dreg_client.protocol.responses import TokenResponse
from dreg_client.values.json_values import has_too_many_values, most_values
from tests.faultserver import Network, answer, challenge
from tests.hostile.registry import DIGEST, MANIFESTS, OCI_INDEX, TAGS, document, registry_at
from tests.hostile.ways import Way, refused

MIB = 1 << 20
JSON = "Content-Type: application/json"
PIECES = {"lists": b"[],", "objects": b"{},", "members": b'{"a":0},', "numbers": b"0,", "texts": b'"",'}
Pieces = pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)


def dense(piece: bytes, before: bytes = b'{"schemaVersion":2,"manifests":[],"x":[', size: int = 4 * MIB) -> bytes:
    """A text of little but separators."""
    return before + piece * ((size - len(before) - 8) // len(piece)) + b"0]}"


def peak(run: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@Pieces
def test_mdl_21_more_values_than_memory_are_not_parsed(piece: bytes) -> None:
    raw = dense(piece)

    def run() -> None:
        with pytest.raises(errors.TooManyEntriesError, match="more than 174,762 JSON values"):
            parse_manifest(raw)
        with pytest.raises(errors.TooManyEntriesError):
            parse_document(raw, kind="image-config", strict=False)
        assert [problem.rule for problem in validate(raw).errors] == ["GEN-05"]

    assert peak(run) < 20 * MIB


@pytest.mark.parametrize("way", ["threads", "tasks", "command line"])
def test_mdl_21_a_registry_s_manifest_of_too_many_values_is_refused(way: str, net: Network) -> None:
    registry_at(net).on(f"{MANIFESTS}/bad", document(dense(b"[],"), OCI_INDEX))

    outcome = refused(Way(way, net).manifest("bad"), errors.TooManyEntriesError)
    assert "JSON values" in outcome.text


def test_mdl_21_many_errors_take_little_memory() -> None:
    raw = dense(b"0" + b" " * 30 + b",", b'{"architecture":"a","os":"b","rootfs":{},"history":[')

    def run() -> None:
        with pytest.raises(errors.InvalidDocumentError):
            parse_document(raw, kind="image-config")

    assert peak(run) < 64 * MIB


def test_mdl_21_an_index_json_of_lists_is_refused(tmp_path: Path) -> None:
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (tmp_path / "index.json").write_bytes(dense(b"[],", b'{"schemaVersion":2,"manifests":[', 16 * MIB))

    def run() -> None:
        with pytest.raises(errors.TooManyEntriesError):
            Layout(tmp_path)

    assert peak(run) < 64 * MIB


def test_mdl_21_other_texts_are_counted_as_well() -> None:
    with pytest.raises(errors.ConfigError, match="too many values"):
        ConfigFile.of_text(dense(b"[],", b'{"auths":{},"x":[').decode(), "auth.json")
    with pytest.raises(errors.TokenError):
        TokenResponse.parse(dense(b"[],", b'{"token":"t","x":['))
    lines = [*validate_lines([dense(b"[],", b'{"raw":{},"x":[', 16 * MIB)], LineRules(field="raw"))]
    assert [problem.rule for problem in lines[0].report.errors] == ["GEN-05"]


def test_mdl_21_a_page_of_lists_is_no_page_of_tags(library_way: Way, net: Network) -> None:
    registry_at(net).on(TAGS, answer(dense(b"[],", b'{"tags":[', 4 * MIB - 100), "200 OK", JSON))

    assert "GEN-05" in refused(library_way.tags(), errors.ProtocolError).text


def test_mdl_21_a_page_of_very_many_tags_is_read(library_way: Way, net: Network) -> None:
    tags = [f"build-{number}" for number in range(250_000)]
    registry_at(net).on(TAGS, answer(json.dumps({"tags": tags}).encode(), "200 OK", JSON))

    assert len(library_way.tags().value) == len(tags)


def test_mdl_21_separators_in_strings_do_not_count() -> None:
    texts = ["[{," * 1000, "\\" * 999, '"' * 1000 + ",", '\\"[,'] * 100
    raw = json.dumps({"schemaVersion": 2, "manifests": [], "x": texts}).encode()
    assert raw.count(b"[") + raw.count(b"{") + raw.count(b",") > most_values(raw)
    assert not has_too_many_values(raw)
    assert len(parse_manifest(raw).model_dump()["x"]) == 400


# --- MDL-22


OPENERS = ('{"a":', "[", '{"detail":', "[0,")


def nested(levels: int) -> str:
    """Lists and objects in each other, mixed in another way for each number of levels."""
    openers = [OPENERS[octet % 4] for octet in hashlib.shake_128(b"%d" % levels).digest(levels)]
    return "".join(openers) + "1" + "".join("}" if opener[0] == "{" else "]" for opener in reversed(openers))


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)


@pytest.mark.parametrize("levels", [0, 1, 50, *range(54, 68), 100, 200])
def test_mdl_22_no_depth_lets_an_error_of_another_library_out(library_way: Way, net: Network, levels: int) -> None:
    deep = nested(levels)
    registry = registry_at(net)
    said = {
        "tags": f'{{"name":"acme/web","tags":["a"],"x":{deep}}}',
        "repositories": f'{{"repositories":["a"],"x":{deep}}}',
        "manifests": f'{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{{"x":{deep}}}],"y":{deep}}}',
        "errors": f'{{"errors":[{{"code":"DENIED","message":"no","detail":{deep}}}]}}',
    }
    registry.on(TAGS, answer(said["tags"].encode(), "200 OK", JSON))
    registry.on("/v2/_catalog", answer(said["repositories"].encode(), "200 OK", JSON))
    registry.on(
        f"/v2/acme/web/referrers/{DIGEST}", answer(said["manifests"].encode(), "200 OK", f"Content-Type: {OCI_INDEX}")
    )
    registry.on(f"{MANIFESTS}/deep", document(said["manifests"].encode(), OCI_INDEX))
    for status in ("403 Forbidden", "404 Not Found", "500 Oops", "400 Bad"):
        registry.on(f"{MANIFESTS}/{status[:3]}", answer(said["errors"].encode(), status, JSON))
    wanted = challenge('Bearer realm="https://registry.test/token",service="registry.test"')
    registry.on(f"{MANIFESTS}/token", wanted)
    registry.on("/token", answer(f'{{"token":{deep}}}'.encode(), "200 OK", JSON))

    # `Way` catches errors of ours alone.
    outcomes = [library_way.tags(), library_way.repositories(), library_way.referrers(DIGEST)]
    outcomes += [library_way.manifest(name) for name in ("deep", "403", "404", "500", "400", "token")]
    outcomes += [library_way.delete("sha256:" + "0" * 64), library_way.tag("403", "new")]
    assert outcomes[4].kind is errors.DeniedError
