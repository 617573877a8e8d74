"""The URL of an unfinished upload, as another process finds it: UPL-01, UPL-05, UPL-12."""

import asyncio
import json
import os
import threading
from pathlib import Path

import pytest

from dreg_client import AsyncRegistry, errors
from dreg_client.files.kept_upload import KeptUpload
from dreg_client.values.digest import Digest
from tests.faultserver import Network
from tests.hostile.secrets import SIGNED
from tests.hostile.uploads import BASE, SMALL, digest, uploads_at
from tests.hostile.ways import Way, refused

REGISTRY = "https://registry.test"


@pytest.fixture
def folder(way: Way, tmp_path: Path) -> Path:
    way.environment = {"XDG_STATE_HOME": str(tmp_path / "state")}
    return tmp_path / "state/dreg/uploads"


def keep(folder: Path, url: str) -> Path:
    """Keep the URL as an earlier process did."""
    environment = {"XDG_STATE_HOME": str(folder.parents[1])}
    with KeptUpload(REGISTRY, "acme/web", Digest(digest(SMALL)), environment) as kept:
        kept.open()
        kept.save(url)
    (path,) = folder.iterdir()
    return path


def test_upl_05_an_upload_goes_on_where_an_earlier_process_ended(way: Way, net: Network, folder: Path) -> None:
    uploads = uploads_at(net)
    uploads.sessions["u7"] = bytearray(SMALL[:200_000])
    keep(folder, f"{REGISTRY}{BASE}/blobs/uploads/u7?_state={SIGNED}")

    assert way.push(SMALL, resume=True).kind is None
    assert uploads.methods == ["HEAD", "GET", "PATCH", "PUT"]
    assert uploads.blobs == {digest(SMALL): SMALL}
    assert not [*folder.iterdir()]


def test_upl_05_an_upload_goes_on_instead_of_a_mount(way: Way, net: Network, folder: Path) -> None:
    uploads = uploads_at(net)
    uploads.sessions["u7"] = bytearray(SMALL[:200_000])
    keep(folder, f"{REGISTRY}{BASE}/blobs/uploads/u7")

    assert way.push(SMALL, mount_from="acme/base", resume=True).kind is None
    assert uploads.methods == ["HEAD", "GET", "PATCH", "PUT"]
    assert not uploads.sessions


def test_upl_13_a_mount_that_opens_an_upload_may_be_continued_later(way: Way, net: Network, folder: Path) -> None:
    uploads = uploads_at(net)

    assert way.push(SMALL, mount_from="acme/base", resume=True).kind is None
    assert uploads.methods == ["HEAD", "POST", "PATCH", "PUT"]
    assert not [*folder.iterdir()]


@pytest.mark.parametrize("in_pieces", [False, True])
def test_upl_05_an_upload_is_completed_that_an_earlier_process_sent_to_its_end(
    way: Way, net: Network, folder: Path, in_pieces: bool
) -> None:
    uploads = uploads_at(net)
    uploads.sessions["u7"] = bytearray(SMALL)
    keep(folder, f"{REGISTRY}{BASE}/blobs/uploads/u7")

    assert way.push(SMALL, in_pieces=in_pieces, digest=digest(SMALL), resume=True).kind is None
    assert uploads.methods == ["HEAD", "GET", "PUT"]
    assert uploads.blobs == {digest(SMALL): SMALL}
    assert not [*folder.iterdir()]


def test_upl_05_other_bytes_of_an_earlier_process_are_sent_again(way: Way, net: Network, folder: Path) -> None:
    uploads = uploads_at(net)
    uploads.sessions["u7"] = bytearray(b"." + SMALL[1:200_000])
    keep(folder, f"{REGISTRY}{BASE}/blobs/uploads/u7")

    assert way.push(SMALL, resume=True).kind is None
    assert uploads.methods == ["HEAD", "GET", "PATCH", "PUT", "GET", "POST", "PATCH", "PUT"]
    assert uploads.blobs == {digest(SMALL): SMALL}


def test_upl_12_an_upload_that_the_registry_has_forgotten_starts_again(way: Way, net: Network, folder: Path) -> None:
    uploads = uploads_at(net)
    keep(folder, f"{REGISTRY}{BASE}/blobs/uploads/gone")

    assert way.push(SMALL, resume=True).kind is None
    assert uploads.methods == ["HEAD", "GET", "POST", "PATCH", "PUT"]
    assert not [*folder.iterdir()]


def test_upl_05_other_bytes_that_an_earlier_process_sent_to_their_end_are_sent_again(
    way: Way, net: Network, folder: Path
) -> None:
    uploads = uploads_at(net)
    uploads.sessions["u7"] = bytearray(b"." + SMALL[1:])
    keep(folder, f"{REGISTRY}{BASE}/blobs/uploads/u7")

    assert way.push(SMALL, resume=True).kind is None
    assert uploads.methods == ["HEAD", "GET", "PUT", "GET", "POST", "PATCH", "PUT"]
    assert uploads.blobs == {digest(SMALL): SMALL}


@pytest.mark.parametrize(
    "url", [f"https://elsewhere.test/upload?sig={SIGNED}", "http://elsewhere.test/", "file:///etc/passwd", "", "\n"]
)
def test_upl_01_a_kept_url_of_another_host_is_not_used(way: Way, net: Network, folder: Path, url: str) -> None:
    uploads, elsewhere = uploads_at(net), net.host("elsewhere.test")
    keep(folder, f"{REGISTRY}/x").write_text(json.dumps({"location": url}))

    assert way.push(SMALL, resume=True).kind is None
    assert elsewhere.requests == []
    assert uploads.methods == ["HEAD", "POST", "PATCH", "PUT"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"location": 7}', "x" * 100_000])
def test_upl_01_a_kept_file_that_is_broken_is_ignored(way: Way, net: Network, folder: Path, text: str) -> None:
    uploads_at(net)
    keep(folder, f"{REGISTRY}/x").write_text(text)

    assert way.push(SMALL, resume=True).kind is None


def test_upl_01_a_file_or_folder_that_others_can_write_is_rejected(way: Way, net: Network, folder: Path) -> None:
    uploads = uploads_at(net)
    path = keep(folder, f"{REGISTRY}/x")
    path.chmod(0o666)
    refused(way.push(SMALL, resume=True), errors.FileError)

    path.unlink()
    path.symlink_to(os.devnull)
    refused(way.push(SMALL, resume=True), errors.FileError)

    path.unlink()
    folder.chmod(0o777)
    refused(way.push(SMALL, resume=True), errors.FileError)
    refused(way.push(SMALL, resume=True, mount_from="acme/base"), errors.FileError)
    assert set(uploads.methods) == {"HEAD"}


def test_upl_05_an_upload_that_another_process_continues_is_not_kept(way: Way, net: Network, folder: Path) -> None:
    uploads = uploads_at(net)
    environment = {"XDG_STATE_HOME": str(folder.parents[1])}
    with KeptUpload(REGISTRY, "acme/web", Digest(digest(SMALL)), environment) as other:
        other.open()
        assert way.push(SMALL, resume=True).kind is None
    assert uploads.blobs == {digest(SMALL): SMALL}


def test_upl_05_a_task_that_is_cancelled_while_its_file_is_opened_does_not_keep_it_open(
    net: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    uploads, user = uploads_at(net), os.geteuid()
    opens, goes_on = threading.Event(), threading.Event()

    def slow_user() -> int:
        opens.set()
        goes_on.wait(30)
        return user

    async def cancelled() -> None:
        async with AsyncRegistry(REGISTRY, ca_file=str(net.ca_file)) as registry:
            pushing = asyncio.create_task(registry.repository("acme/web").push_blob(SMALL, resume=True))
            await asyncio.to_thread(opens.wait, 30)
            pushing.cancel()
            asyncio.get_running_loop().call_soon(goes_on.set)
            with pytest.raises(asyncio.CancelledError):
                await pushing

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", slow_user)
    asyncio.run(cancelled())
    keep(tmp_path / "dreg/uploads", REGISTRY)
    assert "another process" not in caplog.text
    assert uploads.methods == ["HEAD"]
