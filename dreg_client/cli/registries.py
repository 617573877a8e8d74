"""The commands that are about a registry, or that change something in one."""

from contextlib import closing
from typing import TYPE_CHECKING

import click

from dreg_client.cli.registry_names import read_registry
from dreg_client.cli.registry_options import registry_options
from dreg_client.cli.sources import format_option, opened_repository, read_digest, source_argument
from dreg_client.cli.text import put, put_json, visible

if TYPE_CHECKING:
    from dreg_client.values.digest import Digest
    from dreg_client.values.store_name import StoreName


@click.command("repos")
@click.argument("registry", callback=read_registry)
@click.option("--namespace", metavar="NAME", help="Only those of this namespace; library: those without one.")
@registry_options
@format_option
def repos_command(registry: str, namespace: str | None, output: str) -> None:
    """List the repositories of a registry, as its catalog has them; not every registry has one.

    REGISTRY is a host, such as localhost:5000, or a URL.

    \b
    Examples:
      dreg repos localhost:5000
      dreg repos localhost:5000 --namespace acme --format json
    """
    from dreg_client._sync.client import Client
    from dreg_client._sync.lists import iter_catalog
    from dreg_client.cli.logging import speak_of_registries
    from dreg_client.cli.registry_options import given
    from dreg_client.credentials.defaults import with_defaults
    from dreg_client.protocol.namespaces import namespace_of

    speak_of_registries(debug=False)
    with closing(Client.open(registry, **with_defaults(given()))) as client:
        names = (name for name in iter_catalog(client) if namespace in {None, namespace_of(name)})
        if output == "json":
            put_json(list(names))
        else:
            for name in names:
                put(visible(name))


@click.command("tag")
@source_argument
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
def tag_command(source: "StoreName", tags: tuple[str, ...]) -> None:
    """Give further tags to an image, byte for byte, and print its digest, which stays the same.

    \b
    Example:
      dreg tag localhost:5000/acme/web:1.4 1 latest
    """
    from dreg_client.values.store_name import reference_of

    with opened_repository(source) as repository:
        digest = repository.tag(reference_of(source), *tags)
    put(digest)


@click.command("untag")
@source_argument
def untag_command(source: "StoreName") -> None:
    """Delete a tag, and nothing else, and print its name.

    Where a registry offers no such thing, nothing is done, and exit code 8 says so.

    \b
    Example:
      dreg untag localhost:5000/acme/web:1.3
    """
    reference = source.reference
    if reference is None or reference.tag is None or reference.digest is not None or not source.is_named:
        raise click.UsageError("which tag? name it, and it alone: REGISTRY/REPOSITORY:TAG")
    with opened_repository(source) as repository:
        repository.untag(reference.tag)
    put(visible(str(reference)))


@click.command("delete")
@source_argument
@click.option("--blob", "blob", metavar="DIGEST", callback=read_digest, help="Delete this blob, not a manifest.")
def delete_command(source: "StoreName", blob: "Digest | None") -> None:
    """Delete a manifest by its digest, and print that. All tags that name it go with it.

    dreg untag deletes a tag alone.

    \b
    Example:
      dreg delete localhost:5000/acme/old@$( \\
        dreg resolve localhost:5000/acme/old:1)
    """
    reference = source.reference
    digest = reference.digest if reference else None
    if blob is None and digest is None:
        raise click.UsageError(
            "which manifest? name it by its digest, REGISTRY/REPOSITORY@sha256:...; dreg resolve has it"
        )
    with opened_repository(source) as repository:
        if blob is not None:
            repository.delete_blob(blob)
        elif digest is not None:
            repository.delete_manifest(digest)
    put(str(blob or digest))
