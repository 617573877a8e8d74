"""`dreg blob`: bytes, proven by their digest."""

import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dreg_client.cli.sources import opened, options_for, read_digest, source_argument
from dreg_client.cli.text import put_error, put_octets

if TYPE_CHECKING:
    from dreg_client._sync.store import Store
    from dreg_client.values.digest import Digest
    from dreg_client.values.store_name import StoreName


@click.command("blob")
@source_argument
@click.argument("digest", callback=read_digest, required=False)
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
    wanted = digest or _digest_of(source)
    if path == "-" and sys.stdout.isatty():
        raise click.UsageError("bytes of strangers do not go to a terminal: give -o FILE, or pipe them on")
    if path == "-":
        with opened(source) as (store, _):
            _to_standard_output(store, wanted)
    else:
        with _telling_what_is_kept(wanted, path) if resume else nullcontext():
            _to_file(source, wanted, path, resume=resume, connections=connections)


def _to_standard_output(store: "Store", wanted: "Digest") -> None:
    """Bytes flow as they come; where the end is not well, a line says that they are not to be used."""
    from dreg_client.errors import DregError

    has_begun = False
    try:
        with store.stream_blob(wanted) as chunks:
            for chunk in chunks:
                has_begun = True
                put_octets(chunk)
    except DregError:
        if has_begun:
            put_error("dreg: what went to standard output is no whole blob, and not proven; do not use it")
        raise


def _to_file(source: "StoreName", wanted: "Digest", path: str, *, resume: bool, connections: int) -> None:
    """A file gets its name once the bytes are proven; a device or a pipe is written as they come."""
    from dreg_client._sync.opening import open_store
    from dreg_client.cli.progress import progress
    from dreg_client.protocol.events import Received

    size = done = 0

    def received(event: object) -> None:
        nonlocal size, done
        if isinstance(event, Received):
            size, octets, done = event.total or 0, event.so_far - done, event.so_far
            advance(octets)

    with (
        progress(wanted.short, lambda: size) as advance,
        open_store(source, **options_for(source, on_event=received)) as store,
    ):
        if Path(path).exists() and not Path(path).is_file():
            from dreg_client.files.atomic import write_whole

            with store.stream_blob(wanted) as chunks:
                write_whole(path, chunks)
        else:
            store.download_blob(wanted, path, resume=resume, connections=connections)


@contextmanager
def _telling_what_is_kept(wanted: "Digest", path: str) -> Generator[None, None, None]:
    """Whoever interrupts us is told how much a later call goes on with."""
    try:
        yield
    except SystemExit:
        part = Path(path).resolve().with_name(f".{wanted.algorithm}-{wanted.encoded}.part")
        with suppress(OSError):
            size = part.stat().st_size
            put_error(f"dreg: interrupted; {size} bytes are kept, and the same command goes on with them")
        raise


def _digest_of(source: "StoreName") -> "Digest":
    found = source.reference.digest if source.reference is not None else source.digest
    if found is None:
        raise click.UsageError("which blob? give its digest: SOURCE@sha256:... or SOURCE sha256:...")
    return found
