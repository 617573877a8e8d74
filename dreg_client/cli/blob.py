"""`dreg blob`: write a verified blob to a file or standard output."""

import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dreg_client.cli.arguments import DIGEST, source_argument
from dreg_client.cli.command import Command
from dreg_client.cli.output import put_error, put_octets
from dreg_client.cli.stores import opened, options_for

if TYPE_CHECKING:
    from dreg_client.values.digest import Digest
    from dreg_client.values.store_name import StoreName


@click.command("blob", cls=Command)
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
    help="Keep an interrupted download, and continue it when the command runs again. Use with -o.",
)
@click.option(
    "--connections",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    help="Number of connections for a large blob, if the registry supports range requests (default: 1). Use with -o.",
)
def blob_command(source: "StoreName", digest: "Digest | None", path: str, resume: bool, connections: int) -> None:
    """Download a blob, and verify its digest.

    Name the blob as SOURCE@DIGEST, or as SOURCE DIGEST. Layers and configs are blobs; `dreg inspect` and
    `dreg manifest` print their digests.

    Without -o, bytes are written to standard output before the digest is verified. If the command exits with 5, the
    digest does not match: discard the output.

    \b
    Examples:
      dreg blob oci:fixtures/layouts/multi -o layer.tar.gz \\
        sha256:79aa310da7d4b7f13fa37b6bb09d075a05d6618e288a8450772fda3d4643ffc3
      dreg blob oci:fixtures/layouts/multi \\
        $(dreg resolve oci:fixtures/layouts/multi:single) | wc -c
    """
    digest = digest or (source.reference.digest if source.reference is not None else source.digest)
    if digest is None:
        raise click.UsageError("which blob? give its digest: SOURCE@sha256:... or SOURCE sha256:...")
    if path == "-" and sys.stdout.isatty():
        raise click.UsageError("bytes of strangers do not go to a terminal: give -o FILE, or pipe them on")
    if path == "-":
        _write_to_stdout(source, digest)
    else:
        with _reporting_kept_bytes(digest, path) if resume else nullcontext():
            _write_to_file(source, digest, path, resume=resume, connections=connections)


def _write_to_stdout(source: "StoreName", digest: "Digest") -> None:
    """Write bytes as they arrive; if the blob then fails, warn that they must not be used."""
    from dreg_client.errors import DregError

    has_begun = False
    with opened(source) as (store, _):
        try:
            with store.stream_blob(digest) as chunks:
                for chunk in chunks:
                    has_begun = True
                    put_octets(chunk)
        except DregError:
            if has_begun:
                put_error("dreg: what went to standard output is no whole blob, and not proven; do not use it")
            raise


def _write_to_file(source: "StoreName", digest: "Digest", path: str, *, resume: bool, connections: int) -> None:
    """Write a file, which gets its name only once it is verified, or a device or pipe, as bytes arrive."""
    from dreg_client._sync.opening import open_store
    from dreg_client.cli.progress import progress
    from dreg_client.cli.waits import reporting_waits
    from dreg_client.protocol.events import Received

    size = done = 0

    def received(event: object) -> None:
        nonlocal size, done
        if isinstance(event, Received):
            size, octets, done = event.total or 0, event.so_far - done, event.so_far
            advance(octets)

    with (
        progress(digest.short, lambda: size) as advance,
        open_store(source, strict=False, **options_for(source, on_event=reporting_waits(received))) as store,
    ):
        if Path(path).exists() and not Path(path).is_file():
            from dreg_client.files.atomic import write_whole

            with store.stream_blob(digest) as chunks:
                write_whole(path, chunks)
        else:
            store.download_blob(digest, path, resume=resume, connections=connections)


@contextmanager
def _reporting_kept_bytes(digest: "Digest", path: str) -> Generator[None, None, None]:
    """If a signal interrupts the download, say how many bytes the next one resumes from."""
    try:
        yield
    except SystemExit:
        part = Path(path).resolve().with_name(f".{digest.algorithm}-{digest.encoded}.part")
        with suppress(OSError):
            size = part.stat().st_size
            put_error(f"dreg: interrupted; {size} bytes are kept, and the same command goes on with them")
        raise
