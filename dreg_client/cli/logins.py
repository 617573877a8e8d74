"""`dreg login` and `dreg logout`."""

import sys
from typing import TYPE_CHECKING

import click

from dreg_client.cli.registry_names import read_registry
from dreg_client.cli.registry_options import given, place_options, secret_from_stdin
from dreg_client.cli.text import put, put_error, visible

if TYPE_CHECKING:
    from dreg_client.credentials.lookup import Credentials
    from dreg_client.protocol.options import RegistryOptions
    from dreg_client.protocol.registry_url import RegistryURL
    from dreg_client.values.credential import Credential


@click.command("login")
@click.argument("registry", callback=read_registry)
@click.option("--username", "-u", metavar="USER", help="Who we are; asked for on a terminal.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; else it is asked for.")
@click.option("--identity-token-stdin", is_flag=True, help="Read an identity token from standard input.")
@place_options
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

    def heard(event: object) -> None:
        nonlocal is_asked
        is_asked = is_asked or (isinstance(event, Answered) and event.status == 401)

    base, credentials, options = _settings(registry)
    credential = _credential(base, username, password_stdin, identity_token_stdin)
    ours: RegistryOptions = {**options, "credentials": credential, "on_event": heard}
    with Registry(registry, **ours) as opened:
        opened.ping()
    place = login.keep(credentials, base.authority, credential)
    put(f"logged in to {visible(base.authority)}; kept in {visible(place)}")
    if not is_asked:
        what = "token" if identity_token_stdin else "password"
        put_error(f"dreg: warning: {visible(base.authority)} lets anybody in; the {what} was not checked")


@click.command("logout")
@click.argument("registry", callback=read_registry)
@place_options
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
        raise NotFoundError(f"credential for {base.authority}", "this machine", "there is nothing to log out of")
    put(f"logged out of {visible(base.authority)}; forgotten by {visible(', '.join(places))}")


def _settings(registry: str) -> "tuple[RegistryURL, Credentials, RegistryOptions]":
    from dreg_client.cli.logging import speak_of_registries
    from dreg_client.credentials.defaults import with_defaults
    from dreg_client.credentials.lookup import Credentials
    from dreg_client.protocol.options import Options
    from dreg_client.protocol.registry_url import RegistryURL

    speak_of_registries(debug=False)
    options = given()
    credentials = options.get("credentials")
    assert isinstance(credentials, Credentials)  # noqa: S101 (these commands have no option for another)
    chosen = Options(**options)
    base = RegistryURL.parse(registry, plain_http=chosen.plain_http, tls=chosen.requires_tls)
    return base, credentials, with_defaults(options)


def _credential(base: "RegistryURL", username: str | None, by_password: bool, by_token: bool) -> "Credential":
    from dreg_client.values.credential import Credential

    if by_token:
        if username or by_password:
            raise click.UsageError("--identity-token-stdin stands without --username and --password-stdin")
        return Credential(identity_token=secret_from_stdin())
    if by_password:
        if not username:
            raise click.UsageError("--password-stdin needs --username")
        return Credential(username, secret_from_stdin())
    if not (sys.stdin and sys.stdin.isatty()):
        raise click.UsageError("there is no terminal to ask on: give --username and --password-stdin")
    username = username or click.prompt(f"User for {visible(base.authority)}", err=True)
    return Credential(username, click.prompt(f"Password of {visible(username)}", hide_input=True, err=True))
