"""`dreg blob put` and `dreg manifest put`: upload a blob, or push a manifest, from a file or standard input."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import click

from dreg_client.cli.arguments import DIGEST, format_option, image_argument
from dreg_client.cli.command import Command
from dreg_client.cli.interruption import reporting_interruption
from dreg_client.cli.logging import show_log
from dreg_client.cli.output import put, put_json
from dreg_client.cli.progress import Advance, progress
from dreg_client.cli.registry_options import check_standard_input, upload_hosts
from dreg_client.cli.standard_input import standard_input
from dreg_client.cli.stores import opened_repository, reference_given, repository_name
from dreg_client.cli.waits import reporting_waits

if TYPE_CHECKING:
    from dreg_client.models.descriptor import Descriptor
    from dreg_client.values.digest import Digest
    from dreg_client.values.store_name import StoreName

_file_argument = click.argument("path", metavar="FILE|-", type=click.Path(exists=True, dir_okay=False, allow_dash=True))


class _SentBytes:
    """How much of the blob was sent, by the events of its upload."""

    def __init__(self) -> None:
        self.size: int = 0  # of the blob; 0 if it is not known
        self.so_far: int = 0
        self.advance: Advance = lambda _: None

    def __call__(self, event: object) -> None:
        from dreg_client.protocol.events import Sent

        if isinstance(event, Sent):
            self.size, octets, self.so_far = event.total or 0, event.so_far - self.so_far, event.so_far
            self.advance(octets)


@click.command("put", cls=Command)
@image_argument("REGISTRY/REPOSITORY")
@_file_argument
@click.option(
    "--digest",
    type=DIGEST,
    help="Upload only if the content has this digest. With -, the content is not read if the registry has the blob.",
)
@click.option(
    "--mount-from",
    metavar="REPOSITORY",
    help="If this repository of the same registry has the blob, add it without an upload.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Continue an interrupted upload if the registry has kept it: run the same command. With -, requires --digest.",
)
@click.option(
    "--upload-host",
    metavar="HOST[:PORT]",
    multiple=True,
    help="Also upload to this host if the registry's response names it. It gets no credential. Can be repeated.",
)
@format_option
def blob_put_command(
    source: "StoreName",
    path: str,
    *,
    digest: "Digest | None",
    mount_from: str | None,
    resume: bool,
    upload_host: tuple[str, ...],
    output: str,
) -> None:
    """Upload a blob to a registry, unless it is there already.

    FILE is the content, such as a layer or a config; - is standard input. Prints the digest. Then push a manifest that
    names the blob, with `dreg manifest put`: registries may delete blobs that no manifest names.

    A file is sent in one request; with --resume, and for standard input, in chunks of 16 MiB. Some registries, such as
    docker-registry 2.8, drop an upload whose request is aborted; then --resume starts over, with a warning.

    JSON output is a descriptor: mediaType, digest, size.

    \b
    Examples:
      dreg blob put localhost:5000/acme/web fixtures/valid/oci-artifact.json
      echo hello | dreg blob put localhost:5000/acme/web -
    """
    if source.kind == "registry" and reference_given(source):
        raise click.UsageError(f"write the repository without a tag or digest: {repository_name(source)}")
    check_standard_input(path)
    if path == "-" and resume and digest is None:
        raise click.UsageError("--resume requires --digest if the content is read from standard input")
    show_log()
    sent, is_done, hosts = _SentBytes(), False, upload_hosts(upload_host)

    def outcome() -> str:
        if is_done:
            return ""
        if resume:
            return "the same command continues the upload, if the registry has kept it"
        return "the blob was not uploaded"

    with reporting_interruption(outcome), progress(path, lambda: sent.size) as sent.advance:
        content: str | BinaryIO = standard_input() if path == "-" else path
        with opened_repository(source, on_event=reporting_waits(sent), upload_hosts=hosts) as repository:
            found = repository.push_blob(content, digest=digest, mount_from=mount_from, resume=resume)
        is_done = True
    _put_descriptor(found, output)


@click.command("put", cls=Command)
@image_argument("REGISTRY/REPOSITORY[:TAG|@DIGEST]")
@_file_argument
@click.option("--media-type", metavar="TYPE", help="The media type, if the document does not state it.")
@format_option
def manifest_put_command(source: "StoreName", path: str, media_type: str | None, output: str) -> None:
    """Push a manifest or index to a registry, byte for byte.

    FILE is the document; - is standard input. It is validated first. The blobs and manifests that it names must already
    be in the repository. Without a tag, it is pushed by its digest. Prints the digest.

    JSON output is a descriptor: mediaType, digest, size.

    \b
    Examples:
      dreg manifest localhost:5000/acme/web:1.4 | dreg manifest put localhost:5000/acme/web:stable -
    """
    from dreg_client.errors import UnsupportedMediaTypeError
    from dreg_client.files.blob_source import document_at

    check_standard_input(path)
    raw = document_at(standard_input() if path == "-" else path)
    try:
        with opened_repository(source) as repository, _named(path):
            found = repository.put_manifest(raw, reference_given(source) or None, media_type=media_type)
    except UnsupportedMediaTypeError as failure:
        advice = failure.advice.replace("specify media_type=", "specify --media-type")
        raise UnsupportedMediaTypeError(failure.media_type, failure.digest, f"if it is a manifest, {advice}") from None
    _put_descriptor(found, output)


@contextmanager
def _named(path: str) -> Generator[None, None, None]:
    """Name the file in the error of a document that is not valid."""
    from dreg_client.errors import InvalidDocumentError

    try:
        yield
    except InvalidDocumentError as failure:
        raise failure.at("standard input" if path == "-" else path) from None


def _put_descriptor(found: "Descriptor", output: str) -> None:
    if output == "json":
        put_json({"mediaType": found.media_type, "digest": found.digest, "size": found.size})
    else:
        put(found.digest)
