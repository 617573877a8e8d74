"""Commands that list the repositories of a registry, change a repository, log in and log out."""

import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from dreg_client.cli.arguments import DIGEST, format_option, read_registry, source_argument
from dreg_client.cli.interruption import reporting_interruption
from dreg_client.cli.output import put, put_error, put_json, visible
from dreg_client.cli.registry_options import connection_options, credential_from_stdin, given_options, registry_options
from dreg_client.cli.shown_problems import put_item_failure
from dreg_client.cli.stores import opened_repository
from dreg_client.cli.waits import reporting_waits
from dreg_client.errors import DregError

if TYPE_CHECKING:
    from dreg_client.credentials.lookup import Credentials
    from dreg_client.protocol.options import RegistryOptions
    from dreg_client.protocol.registry_url import RegistryURL
    from dreg_client.values.credential import Credential
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

    JSON output is a list of names.

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

    show_log()
    with closing(Client.open(registry, **with_defaults(given_options()))) as client:
        names = (name for name in iter_catalog(client) if namespace in {None, namespace_of(name)})
        if output == "json":
            put_json(list(names))
        else:
            for name in names:
                put(visible(name))


@click.command("tag")
@source_argument
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
def tag_command(source: "StoreName", tags: tuple[str, ...]) -> int:
    """Give further tags to an image, byte for byte, and print its digest, which stays the same.

    All tags are tried. Exits with 1 if some cannot be written.

    \b
    Example:
      dreg tag localhost:5000/acme/web:1.4 1 latest
    """
    from dreg_client.protocol.manifests import new_tag
    from dreg_client.values.store_name import reference_of

    for tag in tags:
        new_tag(tag)  # if one is not valid, nothing is written
    outcomes: dict[str, int] = {}
    with opened_repository(source) as repository, reporting_interruption(lambda: _interrupted(tags, outcomes)):
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


@click.command("untag")
@source_argument
@click.option(
    "--no-placeholder",
    "placeholder",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Write nothing: exit with 8 if the registry does not delete tags itself.",
)
def untag_command(source: "StoreName", placeholder: bool) -> None:
    """Delete a tag, and nothing else, and print its name.

    Many registries delete by digest alone, and with the digest all of its tags. There the tag is moved to a
    placeholder, which is then deleted by its digest; if that fails, the tag is moved back. Exits with 8, and changes
    nothing, if the registry does not delete digests either.

    \b
    Example:
      dreg untag localhost:5000/acme/web:1.3
    """
    reference = source.reference
    if reference is None or reference.tag is None or reference.digest is not None or not source.is_named:
        raise click.UsageError("expected one tag, without a digest: REGISTRY/REPOSITORY:TAG")
    with opened_repository(source) as repository, reporting_interruption(lambda: _unconfirmed(str(reference))):
        repository.untag(reference.tag, placeholder=placeholder)
    put(visible(str(reference)))


@click.command("delete")
@source_argument
@click.option("--blob", metavar="DIGEST", type=DIGEST, help="Delete this blob, not a manifest.")
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
        reason = "missing digest: write REGISTRY/REPOSITORY@DIGEST; dreg resolve prints the digest of a tag"
        raise click.UsageError(reason)
    if blob is not None and source.reference is not None and source.is_named:
        raise click.UsageError("--blob requires a repository without a tag or digest: REGISTRY/REPOSITORY")
    with opened_repository(source) as repository, reporting_interruption(lambda: _unconfirmed(str(blob or reference))):
        if blob is not None:
            repository.delete_blob(blob)
        elif digest is not None:
            repository.delete_manifest(digest)
    put(str(blob or digest))


def _unconfirmed(name: str) -> str:
    return f"the deletion of {name} is not confirmed"


@click.command("login")
@click.argument("registry", callback=read_registry)
@click.option("--username", "-u", metavar="USER", help="User name; asked for on a terminal.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; else it is asked for.")
@click.option("--identity-token-stdin", is_flag=True, help="Read an identity token from standard input.")
@connection_options
def login_command(registry: str, username: str | None, password_stdin: bool, identity_token_stdin: bool) -> None:
    """Log in to a registry: check the credential, then keep it where docker and podman look for it.

    It is kept by the credential helper that is set up for the registry; without one in a file, readable for you alone.

    \b
    Examples:
      dreg login registry.example -u ada --password-stdin < password.txt
      dreg login registry.example     (asks for user and password)
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
    put(f"logged in to {visible(base.authority)}; credential stored in {visible(place)}")
    if not is_asked:
        what = "token" if identity_token_stdin else "password"
        put_error(f"dreg: warning: {visible(base.authority)} does not require a login; the {what} was not checked")


@click.command("logout")
@click.argument("registry", callback=read_registry)
@connection_options
def logout_command(registry: str) -> None:
    """Log out of a registry: forget its credential wherever docker and podman look for it.

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
    username = username or click.prompt(f"User for {visible(base.authority)}", err=True)
    return Credential(username, click.prompt(f"Password for {visible(username)}", hide_input=True, err=True))
