"""The options of how a registry is talked to, which all commands that may read one have."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from dreg_client.protocol.options import RegistryOptions
    from dreg_client.values.credential import Credential

F = TypeVar("F", bound=Callable[..., Any])
_META: Final = "dreg_client.registry_options"
_WAYS: Final = (
    (("--username", "-u"), {"metavar": "USER", "help": "Who we are, with --password-stdin."}),
    (("--password-stdin",), {"is_flag": True, "help": "Read the password from standard input."}),
    (
        ("--identity-token-stdin",),
        {"is_flag": True, "help": "Read a token, for which the token server gives others, from standard input."},
    ),
    (("--anonymous",), {"is_flag": True, "help": "Look for no credential."}),
)
_PLACES: Final = (
    (("--authfile",), {"metavar": "FILE", "help": "Look for credentials in this file alone."}),
    (
        ("--plain-http",),
        {"is_flag": True, "help": "Ask over http, which shows passwords to the network; localhost needs no asking."},
    ),
    (("--insecure",), {"is_flag": True, "help": "Do not check the registry's certificate."}),
    (("--ca-file",), {"metavar": "FILE", "help": "Trust the authorities in this file, too."}),
    (("--cert",), {"metavar": "FILE", "help": "Our certificate."}),
    (("--key",), {"metavar": "FILE", "help": "Its key, where it is not in the same file."}),
    (("--mirror",), {"metavar": "URL", "multiple": True, "help": "Ask there first; may be repeated."}),
    (
        ("--timeout",),
        {"metavar": "SECONDS", "type": click.FloatRange(min=0.1), "help": "The longest wait for an answer; 30."},
    ),
    (
        ("--retries",),
        {"metavar": "N", "type": click.IntRange(0, 100), "help": "How many attempts may follow the first; 4."},
    ),
)


def registry_options(command: F) -> F:
    """All of them."""
    return _added(command, (*_WAYS, *_PLACES))


def place_options(command: F) -> F:
    """Those that do not say who we are."""
    return _added(command, _PLACES)


def _added(command: F, options: tuple[tuple[tuple[str, ...], dict[str, Any]], ...]) -> F:
    for names, settings in reversed(options):
        command = click.option(*names, expose_value=False, callback=_remember, **settings)(command)
    return command


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ANN401 (of any option)
    ctx.meta.setdefault(_META, {})[param.name] = value


def given(ctx: click.Context | None = None) -> "RegistryOptions":
    """What the command line says of registries, as the library takes it.

    Raises:
        UsageError: Options do not fit together.
    """
    ctx = ctx or click.get_current_context()
    said: dict[str, Any] = ctx.meta.get(_META, {})
    if said.get("key") and not said.get("cert"):
        raise click.UsageError("--key stands beside --cert")
    options: dict[str, Any] = {
        "plain_http": said.get("plain_http", False),
        "insecure": said.get("insecure", False),
        "ca_file": said.get("ca_file"),
        "client_cert": (said["cert"], said.get("key")) if said.get("cert") else None,
        "mirrors": tuple(said.get("mirror", ())),
        "timeout": said.get("timeout"),
        "retries": said.get("retries"),
        **_who(ctx, said),
    }
    return {name: value for name, value in options.items() if value is not None or name == "credentials"}  # type: ignore[return-value]


def _who(ctx: click.Context, said: dict[str, Any]) -> dict[str, Any]:
    from dreg_client.credentials.lookup import Credentials

    if "credentials" not in ctx.meta:
        ctx.meta["credentials"] = _credential(said)
    credential = ctx.meta["credentials"]
    if said.get("anonymous"):
        if credential is not None:
            raise click.UsageError("--anonymous and a credential do not fit together")
        return {"credentials": None}
    return {"credentials": credential or Credentials(said.get("authfile"))}


def _credential(said: dict[str, Any]) -> "Credential | None":
    from dreg_client.values.credential import Credential

    username, by_password, by_token = (
        said.get(name) for name in ("username", "password_stdin", "identity_token_stdin")
    )
    if by_token and (by_password or username):
        raise click.UsageError("--identity-token-stdin stands without --username and --password-stdin")
    if by_token:
        return Credential(identity_token=secret_from_stdin())
    if bool(username) != bool(by_password):
        raise click.UsageError(
            "--username and --password-stdin stand together; a password has no place on a command line"
        )
    return Credential(username, secret_from_stdin()) if username else None


def secret_from_stdin() -> str:
    """One line of standard input, without the ending of the line.

    Raises:
        UsageError: There is none.
    """
    text = sys.stdin.read(65536) if sys.stdin else ""
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise click.UsageError("standard input is empty; pipe the secret in")
    return secret
