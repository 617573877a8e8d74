"""`dreg blob`: bytes, proven by their digest."""

import sys
from typing import TYPE_CHECKING

import click

from dreg_client.cli.sources import opened, read_digest, source_argument
from dreg_client.cli.text import put_octets

if TYPE_CHECKING:
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
def blob_command(source: "StoreName", digest: "Digest | None", path: str) -> None:
    """Print a blob, checked against its digest: SOURCE@DIGEST, or SOURCE DIGEST.

    On standard output bytes flow before the check is done: exit code 5 says that they are not to be used.

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
    with opened(source) as (store, _), store.stream_blob(wanted) as chunks:
        if path == "-":
            for chunk in chunks:
                put_octets(chunk)
        else:
            from dreg_client.whole_file import write_whole

            write_whole(path, chunks)


def _digest_of(source: "StoreName") -> "Digest":
    if source.digest is None:
        raise click.UsageError("which blob? give its digest: SOURCE@sha256:... or SOURCE sha256:...")
    return source.digest
