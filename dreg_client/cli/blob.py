"""`dreg blob`: write a verified blob to a file or standard output."""

import os
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dreg_client.cli.arguments import DIGEST, source_argument
from dreg_client.cli.command import CommandWithCommands
from dreg_client.cli.interruption import reporting_interruption
from dreg_client.cli.output import put_error, put_octets
from dreg_client.cli.parsed_type import whole_number
from dreg_client.cli.progress import Advance, progress
from dreg_client.cli.stores import options_for, repository_name

if TYPE_CHECKING:
    from dreg_client._sync.store import Store
    from dreg_client.values.digest import Digest
    from dreg_client.values.store_name import StoreName


@click.command(
    "blob",
    cls=CommandWithCommands,
    module="dreg_client.cli.put_commands",
    summaries={"put": "Upload a blob to a registry, unless it is there already."},
)
@source_argument
@click.argument("digest", type=DIGEST, required=False)
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(allow_dash=True, readable=False),
    metavar="FILE",
    default="-",
    help="Write to FILE, which is created only after the digest has been verified (default: standard output).",
)
@click.option(
    "--resume",
    is_flag=True,
    help="If the download is interrupted, keep the received bytes; if some were kept, continue from there. Requires "
    "-o.",
)
@click.option(
    "--connections",
    metavar="N",
    type=whole_number(1, example=4),
    help="Number of connections for a large blob, if the registry supports range requests (default: 1). Requires -o.",
)
def blob_command(
    source: "StoreName", digest: "Digest | None", path: str, resume: bool, connections: int | None
) -> None:
    """Download a blob, and verify its digest.

    Name the blob as SOURCE@DIGEST, or as SOURCE DIGEST. Layers and configs are blobs; `dreg manifest` and
    `dreg inspect --format json` print their digests.

    Without -o, bytes are written to standard output before the digest is verified. If the command exits with 5, the
    digest does not match: discard the output.

    \b
    Examples:
      dreg blob oci:fixtures/layouts/multi -o layer.tar.gz \\
        sha256:79aa310da7d4b7f13fa37b6bb09d075a05d6618e288a8450772fda3d4643ffc3
      dreg blob localhost:5000/acme/web \\
        sha256:79aa310da7d4b7f13fa37b6bb09d075a05d6618e288a8450772fda3d4643ffc3 | wc -c
    """
    digest = digest or (source.reference.digest if source.reference is not None else source.digest)
    if digest is None:
        raise click.UsageError("missing digest: write SOURCE@DIGEST or SOURCE DIGEST")
    if path == "-" and (resume or connections):
        raise click.UsageError(f"{'--resume' if resume else '--connections'} requires -o FILE")
    if path == "-" and sys.stdout.isatty():
        raise click.UsageError("refusing to write binary data to a terminal; use -o FILE or a pipe")
    if path == "-":
        _write_to_stdout(source, digest)
    else:
        _write_to_file(source, digest, path, resume=resume, connections=connections or 1)


class _Received:
    """How much of the blob has arrived from a registry, by the events of its download."""

    def __init__(self) -> None:
        self.size: int = 0  # of the blob; 0 if it is not known
        self.advance: Advance = lambda _: None
        self._so_far = 0

    def __call__(self, event: object) -> None:
        from dreg_client.protocol.events import Received

        if isinstance(event, Received):
            self.size, octets, self._so_far = event.total or 0, event.so_far - self._so_far, event.so_far
            self.advance(octets)


@contextmanager
def _opened(source: "StoreName", digest: "Digest", received: _Received) -> "Generator[tuple[Store, Advance]]":
    """Open the store; yield it with the function that advances the bar."""
    from dreg_client._sync.opening import open_store
    from dreg_client.cli.waits import reporting_waits
    from dreg_client.errors import NotFoundError

    options = options_for(source, on_event=reporting_waits(received))
    with progress(digest.short, lambda: received.size) as advance, open_store(source, strict=False, **options) as store:
        try:
            yield store, advance
        except NotFoundError as failure:
            if source.reference is not None and source.kind == "registry":
                failure.advice = f"for a manifest, run: dreg manifest {repository_name(source)}@{digest}"
            raise


def _write_to_stdout(source: "StoreName", digest: "Digest") -> None:
    """Write bytes as they arrive; if the blob then fails, warn that they must not be used."""
    from dreg_client.errors import DregError

    received, before, has_begun, is_complete = _Received(), _output_size(), False, False

    def outcome() -> str:
        if is_complete:
            return ""
        if (size := _output_size()) is None or before is None:
            return "the output is incomplete"
        from dreg_client.values.sizes import byte_size

        total = f" of {byte_size(received.size)}" if received.size else ""
        return f"the output is incomplete: {byte_size(size - before)}{total}"

    with reporting_interruption(outcome), _opened(source, digest, received) as (store, advance):
        try:
            with store.stream_blob(digest) as chunks:
                for chunk in chunks:
                    has_begun = True
                    put_octets(chunk)
                    advance(len(chunk))
            is_complete = True
        except DregError:
            if has_begun:
                put_error("dreg: the output is incomplete and not verified; do not use it")
            raise


def _output_size() -> int | None:
    """Return the size of the file that standard output is; None if it is not one.

    How much of an interrupted write has arrived is known of files only.
    """
    with suppress(OSError):
        found = os.fstat(sys.stdout.fileno())
        if stat.S_ISREG(found.st_mode):
            sys.stdout.flush()
            return os.fstat(sys.stdout.fileno()).st_size
    return None


def _write_to_file(source: "StoreName", digest: "Digest", path: str, *, resume: bool, connections: int) -> None:
    """Write a file, which gets its name only once it is verified; write to a device or pipe as bytes arrive."""
    from dreg_client.errors import DregError

    received, before = _Received(), _identity(path)

    is_special = Path(path).exists() and not Path(path).is_file()

    def outcome() -> str:
        if is_special:
            return "the output is incomplete"
        if _identity(path) != before:
            return f"{path} is complete"
        if resume and (kept := _kept(digest, path)):
            return f"{kept}; the same command continues the download"
        return f"nothing was written to {path}"

    with reporting_interruption(outcome), _opened(source, digest, received) as (store, advance):
        received.advance = advance
        if is_special:
            from dreg_client.files.atomic import write_whole

            with store.stream_blob(digest) as chunks:
                write_whole(path, chunks)
        else:
            try:
                store.download_blob(digest, path, resume=resume, connections=connections)
            except DregError as failure:
                if resume and failure.retryable and (kept := _kept(digest, path)):
                    failure.add_outcome(f"{kept}; the same command continues the download")
                raise


def _identity(path: str) -> tuple[int, int] | None:
    """Return what changes when another file gets this name; None if there is no such file."""
    with suppress(OSError):
        found = Path(path).stat()
        return found.st_dev, found.st_ino
    return None


def _kept(digest: "Digest", path: str) -> str:
    """Return how many bytes an interrupted download has kept, and in which file; an empty string if none."""
    from dreg_client.files.partial_file import kept_part
    from dreg_client.values.sizes import byte_size

    part = kept_part(Path(path).resolve(), digest)
    with suppress(OSError):
        if size := part.stat().st_size:
            return f"{byte_size(size)} kept in {part}"
    return ""
