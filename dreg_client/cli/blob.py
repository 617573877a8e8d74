"""`dreg blob`: write a verified blob to a file or standard output."""

import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dreg_client.cli.arguments import DIGEST, source_argument
from dreg_client.cli.output import put_error, put_octets
from dreg_client.cli.stores import opened, options_for

if TYPE_CHECKING:
    from dreg_client.values.digest import Digest
    from dreg_client.values.store_name import StoreName


@click.command("blob")
@source_argument
@click.argument("digest", type=DIGEST, required=False)
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(allow_dash=True, readable=False),
    metavar="FILE",
    default="-",
    help="Write to a file, whole or not at all; - is standard output.",
)
@click.option("--resume", is_flag=True, help="Keep what came, so that the next call goes on with it; with -o.")
@click.option(
    "--connections",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    help="Read a large blob in pieces, so many at a time, where the registry gives them; with -o.",
)
def blob_command(source: "StoreName", digest: "Digest | None", path: str, resume: bool, connections: int) -> None:
    """Print a blob, checked against its digest: SOURCE@DIGEST, or SOURCE DIGEST.

    On standard output all but the last bytes flow before the check is done; where it fails, these never come, and exit
    code 5 says that the others are not to be used.

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
