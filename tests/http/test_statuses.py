"""Only 200 has whole content: another status of success is an error, whatever its body is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Descriptor, Digest, errors
from tests.commands import run_dreg
from tests.doors import Door, repository
from tests.http.documents import CONFIG, DIGEST, LAYER_DIGEST, OCI_CONFIG, image
from tests.raw_server import answer, saying, speaking

OTHERS = (201, 202, 203, 204, 206)
CONFIG_IS = Descriptor(mediaType=OCI_CONFIG, digest=Digest.of(CONFIG), size=len(CONFIG))


def listed(found: Any) -> Any:
    """All repositories, of either registry."""
    if not hasattr(found, "__aiter__"):
        return [*found]

    async def collected() -> Any:
        return [name async for name in found]

    return collected()


READS: dict[str, Callable[[Any], Any]] = {
    "a manifest": lambda registry: repository(registry).get_manifest("1.4"),
    "a manifest as bytes": lambda registry: repository(registry).get_raw_manifest("1.4"),
    "a manifest by its digest": lambda registry: repository(registry).get_raw_manifest(DIGEST),
    "a digest": lambda registry: repository(registry).resolve("1.4"),
    "a config": lambda registry: repository(registry).get_blob(CONFIG_IS),
    "tags": lambda registry: repository(registry).tags(),
    "repositories": lambda registry: listed(registry.catalog()),
    "referrers": lambda registry: repository(registry).referrers(DIGEST),
    "a blob": lambda registry: repository(registry).has_blob(CONFIG_IS.digest),
}


# The first byte of a blob is requested as a range, so that 206 is right there.
@pytest.mark.parametrize(
    ("read", "status"), [(read, status) for read in READS for status in OTHERS if (read, status) != ("a blob", 206)]
)
def test_another_status_of_success_is_not_a_document(door: Door, read: str, status: int) -> None:
    def registry(request: Any) -> Any:
        found = image(request)
        if isinstance(found, int) or found[0] != 200:
            found = (200, {"Content-Type": "application/json"}, b'{"repositories": [], "manifests": []}')
        return status, found[1], b"" if status == 204 else found[2]

    reason = f"unexpected status {status} for .* .expected 200."
    if (read, status) == ("a config", 206):
        reason = "the response is not the requested part"
    with pytest.raises(errors.ProtocolError, match=reason):
        door.run(registry, READS[read])


@pytest.mark.parametrize("status", OTHERS)
def test_another_status_of_success_is_not_a_blob(door: Door, tmp_path: Path, status: int) -> None:
    def registry(request: Any) -> Any:
        found = image(request)
        assert not isinstance(found, int)
        return status, found[1], b"" if status == 204 else found[2]

    with pytest.raises(errors.ProtocolError):
        door.run(registry, lambda it: repository(it).download_blob(LAYER_DIGEST, tmp_path / "blob"))
    assert not (tmp_path / "blob").exists()


@pytest.mark.parametrize("status", OTHERS)
def test_another_status_of_success_is_not_a_token(door: Door, status: int) -> None:
    def registry(request: Any) -> Any:
        if request.url.path == "/token":
            return status, {"Content-Type": "application/json"}, b"" if status == 204 else b'{"token": "t"}'
        return 401, {"WWW-Authenticate": 'Bearer realm="https://registry.example/token"'}, b""

    with pytest.raises(errors.TokenError, match=f"status {status}"):
        door.run(registry, lambda it: repository(it).tags())


def test_the_next_mirror_is_asked_if_one_has_no_content(door: Door) -> None:
    def registry(request: Any) -> Any:
        return 204 if request.url.host == "mirror.example" else image(request)

    found = door.run(registry, lambda it: repository(it).get_manifest("1.4"), mirrors=["https://mirror.example"])
    assert found.digest == DIGEST


@pytest.mark.parametrize("status", ["204 No Content", "206 Partial Content"])
def test_the_command_line_does_not_print_an_empty_manifest(status: str) -> None:
    with speaking(saying(answer(b"", status))) as server:
        name = f"{server.url.removeprefix('http://')}/all:st"
        done = run_dreg(["manifest", name, "--raw"], environment={})

    assert (done.returncode, done.stdout) == (6, b"")
    assert f"unexpected status {status[:3]} for all:st (expected 200)" in done.stderr.decode()
