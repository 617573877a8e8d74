"""The commands that list a registry's repositories, change something in one, log in and log out."""

import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from dreg_client.cli.arguments import DIGEST, format_option, image_argument, read_registry
from dreg_client.cli.command import Command
from dreg_client.cli.output import put, put_error, put_json, visible
from dreg_client.cli.registry_options import connection_options, credential_from_stdin, given_options, registry_options
from dreg_client.cli.stores import opened_repository
from dreg_client.cli.waits import reporting_waits

if TYPE_CHECKING:
    from dreg_client.credentials.lookup import Credentials
    from dreg_client.protocol.options import RegistryOptions
    from dreg_client.protocol.registry_url import RegistryURL
    from dreg_client.values.credential import Credential
    from dreg_client.values.digest import Digest
    from dreg_client.values.store_name import StoreName


@click.command("repos", cls=Command)
@click.argument("registry", callback=read_registry)
@click.option(
    "--namespace", metavar="NAME", help="List only repositories in this namespace; library for those without one."
)
@registry_options
@format_option
def repos_command(registry: str, namespace: str | None, output: str) -> None:
    """List the repositories of a registry.

    REGISTRY is a host, such as localhost:5000, or a URL. Some registries, such as Docker Hub, do not offer a catalog;
    the command then exits with an error.

    \b
    Examples:
      dreg repos localhost:5000
      dreg repos localhost:5000 --namespace acme --format json
    """
    from dreg_client._sync.client import Client
    from dreg_client._sync.lists import iter_catalog
    from dreg_client.cli.logging import show_log
    from dreg_client.credentials.lookup import with_defaults
    from dreg_client.protocol.tags_and_catalog import namespace_of

    show_log(debug="--debug" in sys.argv)
    with closing(Client.open(registry, **with_defaults(given_options()))) as client:
        names = (name for name in iter_catalog(client) if namespace in {None, namespace_of(name)})
        if output == "json":
            put_json(list(names))
        else:
            for name in names:
                put(visible(name))


@click.command("tag", cls=Command)
@image_argument("REGISTRY/REPOSITORY[:TAG|@DIGEST]")
@click.argument("tags", metavar="NEW_TAG...", nargs=-1, required=True)
def tag_command(source: "StoreName", tags: tuple[str, ...]) -> None:
    """Add tags to an image in a registry.

    NEW_TAG is a tag in the same repository. If it exists, it is moved to the image. The image itself does not change;
    its digest is printed.

    \b
    Examples:
      dreg tag localhost:5000/acme/web:1.4 1 latest
      dreg tag localhost:5000/acme/web@$(dreg resolve localhost:5000/acme/web:1.4) stable
    """
    from dreg_client.values.store_name import reference_of

    with opened_repository(source) as repository:
        digest = repository.tag(reference_of(source), *tags)
    put(digest)


@click.command("untag", cls=Command)
@image_argument("REGISTRY/REPOSITORY:TAG")
@click.option(
    "--no-placeholder",
    "placeholder",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Do not write a placeholder; exit with 8 if the registry cannot delete tags.",
)
def untag_command(source: "StoreName", placeholder: bool) -> None:
    """Delete a tag in a registry; the image and its other tags stay.

    Prints the name of the tag. Many registries can only delete by digest, which deletes all tags of an image. For
    these, dreg moves the tag to a placeholder manifest, and deletes that manifest by its digest. If this fails, dreg
    moves the tag back.

    \b
    Exit codes:
      8  The registry cannot delete tags or digests; nothing has changed.

    \b
    Example:
      dreg untag localhost:5000/acme/web:1.3
    """
    reference = source.reference
    if reference is None or reference.tag is None or reference.digest is not None or not source.is_named:
        raise click.UsageError("name one tag, without a digest: REGISTRY/REPOSITORY:TAG")
    with opened_repository(source) as repository:
        repository.untag(reference.tag, placeholder=placeholder)
    put(visible(str(reference)))


@click.command("delete", cls=Command)
@image_argument("REGISTRY/REPOSITORY[@DIGEST]")
@click.option(
    "--blob",
    metavar="DIGEST",
    type=DIGEST,
    help="Delete this blob instead of a manifest. Name the repository without a digest.",
)
def delete_command(source: "StoreName", blob: "Digest | None") -> None:
    """Delete a manifest and all its tags, or a blob, in a registry.

    Prints the digest. To delete only a tag, use `dreg untag`.

    \b
    Example:
      dreg delete localhost:5000/acme/old@$(dreg resolve localhost:5000/acme/old:1)
    """
    reference = source.reference
    digest = reference.digest if reference else None
    if blob is None and digest is None:
        reason = "which manifest? name it by its digest, REGISTRY/REPOSITORY@sha256:...; dreg resolve has it"
        raise click.UsageError(reason)
    if blob is not None and source.reference is not None and source.is_named:
        raise click.UsageError("a manifest or a blob? with --blob, name the repository alone: REGISTRY/REPOSITORY")
    with opened_repository(source) as repository:
        if blob is not None:
            repository.delete_blob(blob)
        elif digest is not None:
            repository.delete_manifest(digest)
    put(str(blob or digest))


@click.command("login", cls=Command)
@click.argument("registry", callback=read_registry)
@click.option("--username", "-u", metavar="USER", help="User name. If it is missing, dreg prompts for it.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of prompting for it."
)
@click.option(
    "--identity-token-stdin", is_flag=True, help="Read an identity token (OAuth 2.0 refresh token) from standard input."
)
@connection_options
def login_command(registry: str, username: str | None, password_stdin: bool, identity_token_stdin: bool) -> None:
    """Log in to a registry.

    Checks the credential with the registry, then saves it where docker and podman also find it: in the credential
    helper that is configured for the registry, or in a file that only you can read. On a terminal, the command prompts
    for a user name and password.

    \b
    Examples:
      dreg login registry.example
      dreg login registry.example -u ada --password-stdin < password.txt
    """
    from dreg_client._sync.registry import Registry
    from dreg_client.credentials import login
    from dreg_client.protocol.events import Answered

    is_asked = False

    def on_event(event: object) -> None:
        nonlocal is_asked
        is_asked = is_asked or (isinstance(event, Answered) and event.status == 401)

    base, credentials, options = _settings(registry)
    credential = _credential(base, username, password_stdin, identity_token_stdin)
    ours: RegistryOptions = {**options, "credentials": credential, "on_event": reporting_waits(on_event)}
    with Registry(registry, **ours) as opened:
        opened.ping()
    place = login.keep(credentials, base.authority, credential)
    put(f"logged in to {visible(base.authority)}; kept in {visible(place)}")
    if not is_asked:
        what = "token" if identity_token_stdin else "password"
        put_error(f"dreg: warning: {visible(base.authority)} lets anybody in; the {what} was not checked")


@click.command("logout", cls=Command)
@click.argument("registry", callback=read_registry)
@connection_options
def logout_command(registry: str) -> None:
    """Log out of a registry.

    Deletes the credential of the registry from all files and helpers in which docker and podman look for it.

    \b
    Example:
      dreg logout registry.example
    """
    from dreg_client.credentials import login
    from dreg_client.errors import NotFoundError

    base, credentials, _ = _settings(registry)
    places = login.forget(credentials, base.authority)
    if not places:
        raise NotFoundError(f"credential for {base.authority}", "this machine", "there is nothing to log out of")
    put(f"logged out of {visible(base.authority)}; forgotten by {visible(', '.join(places))}")


def _settings(registry: str) -> "tuple[RegistryURL, Credentials, RegistryOptions]":
    from dreg_client.cli.logging import show_log
    from dreg_client.credentials.lookup import Credentials, with_defaults
    from dreg_client.protocol.options import Options
    from dreg_client.protocol.registry_url import RegistryURL

    show_log(debug="--debug" in sys.argv)
    options = given_options()
    credentials = options.get("credentials")
    assert isinstance(credentials, Credentials)  # noqa: S101 (these commands have no option for another)
    chosen = Options(**options)
    base = RegistryURL.parse(registry, plain_http=chosen.plain_http, tls=chosen.requires_tls)
    return base, credentials, with_defaults(options)


def _credential(base: "RegistryURL", username: str | None, by_password: bool, by_token: bool) -> "Credential":
    if by_password and not (username or by_token):
        raise click.UsageError("--password-stdin needs --username")
    if (by_token or by_password) and (credential := credential_from_stdin(username, by_password, by_token)):
        return credential
    from dreg_client.values.credential import Credential

    if not (sys.stdin and sys.stdin.isatty()):
        raise click.UsageError("there is no terminal to ask on: give --username and --password-stdin")
    username = username or click.prompt(f"User for {visible(base.authority)}", err=True)
    return Credential(username, click.prompt(f"Password of {visible(username)}", hide_input=True, err=True))
