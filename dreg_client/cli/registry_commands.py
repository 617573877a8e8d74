"""Commands that list the repositories of a registry, change a repository, log in and log out."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from dreg_client.cli.arguments import (
    DIGEST,
    format_option,
    image_argument,
    read_registry,
    read_registry_or_storage,
)
from dreg_client.cli.command import Command
from dreg_client.cli.interruption import reporting_interruption
from dreg_client.cli.listing import put_names
from dreg_client.cli.output import put, put_error, visible
from dreg_client.cli.registry_options import connection_options, credential_from_stdin, given_options, registry_options
from dreg_client.cli.shown_problems import put_item_failure
from dreg_client.cli.stores import opened_writable, reference_given, repository_name
from dreg_client.cli.waits import reporting_waits
from dreg_client.errors import CredentialError, DregError

if TYPE_CHECKING:
    from dreg_client.credentials.lookup import Credentials
    from dreg_client.protocol.options import RegistryOptions
    from dreg_client.protocol.registry_url import RegistryURL
    from dreg_client.values.credential import Credential
    from dreg_client.values.digest import Digest
    from dreg_client.values.store_name import StoreName


_NAMES_AT_ONCE: Final = 500


@click.command("repos", cls=Command)
@click.argument("registry", callback=read_registry_or_storage)
@click.option(
    "--namespace", metavar="NAME", help="List only repositories in this namespace; library selects those without one."
)
@registry_options
@format_option
def repos_command(registry: "str | StoreName", namespace: str | None, output: str) -> None:
    """List the repositories of a registry.

    REGISTRY is a host, such as localhost:5000, or a URL. Some registries, such as Docker Hub, do not offer a catalog;
    the command then exits with an error. registry-storage:PATH is the storage of a registry, which needs no server.

    Names are printed while they are read. If the catalog fails later on, the names that were printed stay.

    JSON output is a list of names.

    \b
    Examples:
      dreg repos localhost:5000
      dreg repos localhost:5000 --namespace acme --format json
    """
    from dreg_client.cli.logging import show_log
    from dreg_client.protocol.tags_and_catalog import namespace_of

    show_log()
    pages = _catalog(registry) if isinstance(registry, str) else _names_in_storage(registry)
    put_names(output, ([name for name in names if namespace in {None, namespace_of(name)}] for names in pages))


def _catalog(registry: str) -> "Iterator[Sequence[str]]":
    from dreg_client._sync.client import Client
    from dreg_client._sync.lists import iter_pages
    from dreg_client.credentials.lookup import with_defaults
    from dreg_client.protocol.tags_and_catalog import MAX_STREAMED_PAGES, catalog_pages

    with closing(Client.open(registry, **with_defaults(given_options()))) as client:
        yield from iter_pages(client, catalog_pages(most=MAX_STREAMED_PAGES))


def _names_in_storage(storage: "StoreName") -> "Iterator[Sequence[str]]":
    """Yield the repositories of a storage, or a repository in it and those below, a few at a time."""
    from dreg_client.files.registry_storage import open_storage

    names = open_storage(storage.path).repositories(storage.repository or "")
    while page := [*islice(names, _NAMES_AT_ONCE)]:
        yield page


@click.command("tag", cls=Command)
@image_argument("IMAGE")
@click.argument("tags", metavar="NEW_TAG...", nargs=-1, required=True)
def tag_command(source: "StoreName", tags: tuple[str, ...]) -> int:
    """Add tags to an image in a registry or a layout.

    IMAGE is REGISTRY/REPOSITORY{:TAG|@DIGEST} or oci:PATH{:TAG|@DIGEST}. NEW_TAG is a tag in the same repository or
    layout. If it exists, it is moved to the image. The image itself does not change; its digest is printed.

    If a tag cannot be written, the others are still written.

    \b
    Exit codes:
      1  Some tags could not be written.

    \b
    Examples:
      dreg tag localhost:5000/acme/web:1.4 1 latest
      dreg tag localhost:5000/acme/web@$(dreg resolve localhost:5000/acme/web:1.4) stable
      dreg tag oci:build/web:1.4 latest
    """
    from dreg_client.protocol.manifests import new_tag
    from dreg_client.values.ref_name import check_ref_name
    from dreg_client.values.store_name import reference_of

    if not reference_given(source):
        raise click.UsageError(_no_image(source, tags))
    for tag in tags:  # if one is not valid, nothing is written
        check_ref_name(tag) if source.kind == "oci" else new_tag(tag)
    outcomes: dict[str, int] = {}
    with opened_writable(source) as repository, reporting_interruption(lambda: _interrupted(tags, outcomes)):
        named = reference_of(source)
        if len(tags) > 1:  # all tags get the same image, even if the source is moved meanwhile
            named = repository.resolve(named).digest
        for tag in tags:
            try:
                named = repository.tag(named, tag)
            except DregError as failure:
                outcomes[tag] = put_item_failure(failure, as_json=False, source=tag)
            else:
                outcomes[tag] = 0
    return _put_outcomes(named, outcomes)


def _no_image(source: "StoreName", tags: tuple[str, ...]) -> str:
    """Return the error for a repository without a tag or digest; the first new tag may be meant as the source."""
    from dreg_client.cli.suggestions import UNDER_COMMANDS

    repository = repository_name(source)
    name = f"tag {repository.removeprefix('docker.io/library/')}"
    if advice := UNDER_COMMANDS.get(name):
        return f"No such command {name!r}; {advice}"
    first, *rest = tags
    meant = f"; did you mean: dreg tag {repository}:{first} {' '.join(rest)}" if rest else ""
    return f"name the image to tag: {repository}:TAG or {repository}@DIGEST{meant}"


def _interrupted(tags: tuple[str, ...], outcomes: dict[str, int]) -> str:
    """Return which tags were written before a signal came; it may have come while one was written."""
    rest = [tag for tag in tags if tag not in outcomes]
    lists = {
        "tagged": [tag for tag, code in outcomes.items() if code == 0],
        "failed": [tag for tag, code in outcomes.items() if code],
        "not confirmed": rest[:1],
        "not tagged": rest[1:],
    }
    return "; ".join(f"{label}: {', '.join(names)}" for label, names in lists.items() if names)


def _put_outcomes(digest: str, outcomes: dict[str, int]) -> int:
    """Print the digest if any tag names it now, and which tags failed; return the exit code."""
    from dreg_client.cli.error_messages import exit_code_of_several

    failed = [tag for tag, code in outcomes.items() if code]
    if len(failed) < len(outcomes):
        put(digest)
    if failed and len(outcomes) > 1:
        put_error(f"dreg: {len(failed)} of {len(outcomes)} tags failed: {', '.join(failed)}")
    return exit_code_of_several(set(outcomes.values()))


@click.command("untag", cls=Command)
@image_argument("IMAGE")
@click.option(
    "--no-placeholder",
    "placeholder",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Do not write a placeholder; exit with 8 if the registry cannot delete tags.",
)
def untag_command(source: "StoreName", placeholder: bool) -> None:
    """Delete a tag in a registry or a layout; the image and its other tags stay.

    IMAGE is REGISTRY/REPOSITORY:TAG or oci:PATH:TAG. Prints the name of the tag. In a layout, an image without a tag
    stays until dreg gc deletes it.

    Many registries can only delete by digest, which deletes all tags of an image. For
    these, dreg moves the tag to a placeholder manifest, and deletes that manifest by its digest. If this fails, dreg
    moves the tag back.

    \b
    Exit codes:
      7  Another client has changed the tag at the same time.
      8  The registry can delete neither tags nor digests; nothing was changed.

    \b
    Examples:
      dreg untag localhost:5000/acme/web:1.3
      dreg untag oci:build/web:1.3
    """
    from dreg_client._sync.repository import Repository

    reference = source.reference
    tag = source.tag if reference is None else reference.tag
    if tag is None or (reference is not None and (reference.digest is not None or not source.is_named)):
        raise click.UsageError("expected a tag, without a digest: REGISTRY/REPOSITORY:TAG or oci:PATH:TAG")
    with opened_writable(source) as store, reporting_interruption(lambda: _unconfirmed(str(source))):
        if isinstance(store, Repository):
            store.untag(tag, placeholder=placeholder)
        else:
            store.untag(tag)
    put(visible(str(source)))


@click.command("delete", cls=Command)
@image_argument("IMAGE")
@click.option(
    "--blob",
    metavar="DIGEST",
    type=DIGEST,
    help="Delete this blob instead of a manifest. Name the repository or layout without a digest.",
)
def delete_command(source: "StoreName", blob: "Digest | None") -> None:
    """Delete a manifest and all its tags, or a blob, in a registry or a layout.

    IMAGE is REGISTRY/REPOSITORY@DIGEST or oci:PATH@DIGEST. Prints the digest. To delete only a tag, use `dreg untag`.
    In a layout, the layers stay until `dreg gc` deletes them.

    \b
    Example:
      dreg delete localhost:5000/acme/old@$(dreg resolve localhost:5000/acme/old:1)
    """
    reference = source.reference
    digest = reference.digest if reference else source.digest
    if blob is None and digest is None:
        reason = f"missing digest: write {_without_tag(source)}@DIGEST; dreg resolve prints the digest of a tag"
        raise click.UsageError(reason)
    if blob is not None and reference_given(source):
        expected = _without_tag(source)
        raise click.UsageError(f"--blob requires a repository or layout without a tag or digest: {expected}")
    with opened_writable(source) as store, reporting_interruption(lambda: _unconfirmed(str(blob or source))):
        if blob is not None:
            store.delete_blob(blob)
        elif digest is not None:
            store.delete_manifest(digest)
    put(str(blob or digest))


def _without_tag(source: "StoreName") -> str:
    """Return how a store of this kind is named, for messages."""
    return "oci:PATH" if source.kind == "oci" else "REGISTRY/REPOSITORY"


def _unconfirmed(name: str) -> str:
    return f"the deletion of {name} is not confirmed"


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
    helper that is configured for the registry, or unencrypted in a file that only you can read. On a terminal, the
    command prompts for a user name and password.

    \b
    Examples:
      dreg login registry.example
      dreg login registry.example -u ada --password-stdin < password.txt
    """
    from dreg_client._sync.registry import Registry
    from dreg_client.credentials import login
    from dreg_client.credentials import program as programs
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
    what = "token" if identity_token_stdin else "password"
    if is_asked:
        put(f"logged in to {visible(base.authority)}; credential stored in {visible(place)}")
    else:
        stored = f"credential for {base.authority} stored in {place}"
        put(visible(f"{stored}; the registry does not require a login, so the {what} was not checked"))
    if not place.startswith(programs.PREFIX):
        encoding = "" if identity_token_stdin else ", encoded with base64"
        put_error(visible(f"dreg: warning: {place} stores the {what} unencrypted{encoding}"))


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
        raise NotFoundError(f"credential for {base.authority}", "this machine", "you are not logged in")
    put(f"logged out of {visible(base.authority)}; credential removed from {visible(', '.join(places))}")


def _settings(registry: str) -> "tuple[RegistryURL, Credentials, RegistryOptions]":
    from dreg_client.cli.logging import show_log
    from dreg_client.credentials.lookup import Credentials, with_defaults
    from dreg_client.protocol.options import Options
    from dreg_client.protocol.registry_url import RegistryURL

    show_log()
    options = given_options()
    credentials = options.get("credentials")
    assert isinstance(credentials, Credentials)  # noqa: S101 (these commands have no option that sets another)
    chosen = Options(**options)
    base = RegistryURL.parse(registry, plain_http=chosen.plain_http, tls=chosen.requires_tls)
    return base, credentials, with_defaults(options)


def _credential(base: "RegistryURL", username: str | None, by_password: bool, by_token: bool) -> "Credential":
    if by_password and not (username or by_token):
        raise click.UsageError("--password-stdin requires --username")
    if (by_token or by_password) and (credential := credential_from_stdin(username, by_password, by_token)):
        return credential
    from dreg_client.values.credential import Credential

    if not (sys.stdin and sys.stdin.isatty()):
        raise click.UsageError("cannot prompt without a terminal; use --username and --password-stdin")
    try:
        username = username or click.prompt(f"User for {visible(base.authority)}", err=True)
        return Credential(username, _password_of(username))
    except (EOFError, click.Abort):
        click.echo(err=True)  # the prompt ended without a newline
        raise click.UsageError("the input ended before a user name and a password were given") from None
    except CredentialError as failure:
        raise click.UsageError(str(failure)) from None
    except UnicodeDecodeError:
        reason = "a credential has characters that are not valid Unicode, which cannot be sent"
        raise click.UsageError(reason) from None
    except SystemExit:
        click.echo(err=True)  # a signal ended the prompt without a newline
        raise


def _password_of(username: str) -> str:
    """Ask for a password on the terminal.

    click would print the prompt first and then discard pending input, and with it the password of a program that waits
    for the prompt. getpass does it in the other order.
    """
    from getpass import getpass

    password = ""
    while not password:
        password = getpass(f"Password for {visible(username)}: ", sys.stderr)
    return password
