"""Uploads that are interrupted by a signal, or cancelled: CLI-04, CLI-06."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dreg_client import AsyncRegistry
from tests.commands import start_limited
from tests.faultserver import STALL, Network
from tests.hostile.test_cli import wait_for
from tests.hostile.uploads import SMALL, Uploads, uploads_at

PUT = [sys.executable, "-m", "dreg_client.cli", "blob", "put"]


def stalled(net: Network) -> Uploads:
    """A registry that takes a body, and does not respond."""
    return uploads_at(net).fails("PUT", STALL, kept=None).fails("PATCH", STALL, kept=None)


def interrupted(net: Network, uploads: Uploads, number: signal.Signals, *words: str) -> tuple[int, bytes]:
    """The exit code and the message of an upload that gets a signal once its bytes are there."""
    path = net.folder / "content"
    path.write_bytes(SMALL)
    command = [*PUT, "--ca-file", str(net.ca_file), "registry.test/acme/web", str(path), *words]
    pipe = subprocess.PIPE
    with start_limited(command, stdout=pipe, stderr=pipe, env=net.environment(), start_new_session=True) as process:
        wait_for(lambda: set(uploads.methods) & {"PUT", "PATCH"})
        process.send_signal(number)
        out, told = process.communicate(timeout=60)
    assert out == b""
    return process.returncode, told


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_cli_04_cli_06_an_interrupted_upload_is_cancelled(net: Network, number: signal.Signals, code: int) -> None:
    uploads = stalled(net)

    assert interrupted(net, uploads, number) == (code, b"dreg: interrupted; the blob was not uploaded\n")
    assert uploads.methods == ["HEAD", "POST", "PUT", "DELETE"]
    assert not uploads.sessions


def test_cli_04_an_interrupted_upload_with_resume_is_kept(net: Network) -> None:
    uploads = stalled(net)

    code, told = interrupted(net, uploads, signal.SIGINT, "--resume")
    assert (code, told) == (
        130,
        b"dreg: interrupted; the same command continues the upload, if the registry has kept it\n",
    )
    assert uploads.methods == ["HEAD", "POST", "PATCH"]
    (kept,) = Path(net.environment()["HOME"], ".local/state/dreg/uploads").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_cli_04_a_cancelled_task_cancels_its_upload(net: Network) -> None:
    uploads = stalled(net)

    async def run() -> None:
        async with AsyncRegistry("https://registry.test", ca_file=str(net.ca_file)) as registry:
            pushing = asyncio.create_task(registry.repository("acme/web").push_blob(SMALL))
            await asyncio.to_thread(wait_for, lambda: "PUT" in uploads.methods)
            pushing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await pushing

    asyncio.run(run())
    assert uploads.methods == ["HEAD", "POST", "PUT", "DELETE"]
    assert not uploads.sessions
