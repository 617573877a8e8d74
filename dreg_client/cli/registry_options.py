"""The options for connecting to a registry, shared by all commands that can read one."""

import sys
from collections.abc import Callable
from functools import partial
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from dreg_client.cli.command import RegistryOption
from dreg_client.cli.parsed_type import SECONDS, whole_number
from dreg_client.cli.waits import reporting_waits

if TYPE_CHECKING:
    from dreg_client.copying.options import CopyOptions
    from dreg_client.credentials.lookup import Credentials
    from dreg_client.protocol.events import Event
    from dreg_client.protocol.option_types import Mirror
    from dreg_client.protocol.options import RegistryOptions, Timeouts
    from dreg_client.values.credential import Credential

F = TypeVar("F", bound=Callable[..., Any])
_META: Final = "dreg_client.registry_options"
_LONGEST_SECRET: Final = 65_536
_MIRROR_SETTINGS: Final = frozenset({("insecure", False), ("ca-file", True), ("cert", True), ("key", True)})
"""The settings of a mirror, and whether each has a value."""
_FROM_STDIN: Final = ("username", "password_stdin", "identity_token_stdin")
_READING: Final = Lock()
_PATIENCE: Final = 80.0
"""The seconds that a command continues after requests began to fail, unless one of them succeeds.

With the time that a command needs to start on a busy machine, it ends within two minutes.
"""


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ANN401 (of any option)
    ctx.meta.setdefault(_META, {})[param.name] = value


def _limit_command(ctx: click.Context, _param: click.Parameter, seconds: float | None) -> None:
    """Set the deadline of the command, and end it if a registry keeps failing, so that it never hangs."""
    if ctx.resilient_parsing:  # completion
        return
    from dreg_client.protocol.deadlines import CallDeadline, current_call

    current_call.set(CallDeadline(inf if seconds is None else seconds, patience=_PATIENCE))
    ctx.call_on_close(lambda: current_call.set(None))


_option: Final = partial(click.option, cls=RegistryOption, expose_value=False, callback=_remember)
_file: Final = partial(_option, metavar="FILE", type=click.Path(readable=False))
_CREDENTIAL_OPTIONS: Final = (
    _option("--username", "-u", metavar="USER", help="User name; requires --password-stdin."),
    _option("--password-stdin", is_flag=True, help="Read the password from standard input."),
    _option(
        "--identity-token-stdin",
        is_flag=True,
        help="Read an identity token (OAuth 2.0 refresh token) from standard input.",
    ),
    _option("--anonymous", is_flag=True, help="Do not use credentials."),
)
_CONNECTION_OPTIONS: Final = (
    _file("--authfile", help="Use only this credential file."),
    _option(
        "--plain-http",
        is_flag=True,
        help="Use plain HTTP (passwords are sent unencrypted). Implied for localhost.",
    ),
    _option("--insecure", is_flag=True, help="Do not verify the TLS certificate of the registry."),
    _file("--ca-file", help="Also trust the CA certificates in this PEM file."),
    _file("--cert", help="Client certificate, in PEM format."),
    _file("--key", help="Private key of the client certificate, if the --cert file does not contain it."),
    _option(
        "--trust-token-host",
        metavar="HOST[:PORT]",
        multiple=True,
        help="Also send the credential to this token server. Can be repeated.",
    ),
    _option(
        "--mirror",
        metavar="URL[,SETTINGS]",
        multiple=True,
        help="Try this mirror first, without the registry's credential and certificate settings. Its own are insecure, "
        "ca-file=FILE, cert=FILE and key=FILE, after commas. Can be repeated.",
    ),
    _option(
        "--timeout",
        metavar="SECONDS",
        type=SECONDS,
        help="Response timeout in seconds (default: 30).",
    ),
    click.option(
        "--deadline",
        cls=RegistryOption,
        expose_value=False,
        callback=_limit_command,
        metavar="SECONDS",
        type=SECONDS,
        help="Time limit for all requests of the command in seconds (default: none).",
    ),
    _option(
        "--retries",
        metavar="N",
        type=whole_number(0, 100, example=4),
        help="Number of retries after a temporary failure (default: 4). A refused connection is retried only once.",
    ),
)
_SIDE_OPTIONS: Final = (
    _option("--src-plain-http", is_flag=True, help="Use plain HTTP for the source only."),
    _option("--dest-plain-http", is_flag=True, help="Use plain HTTP for the destination only."),
    _option("--src-insecure", is_flag=True, help="Do not verify the TLS certificate of the source's registry."),
    _option("--dest-insecure", is_flag=True, help="Do not verify the TLS certificate of the destination's registry."),
    _option(
        "--upload-host",
        metavar="HOST[:PORT]",
        multiple=True,
        help="Also upload to this host if the destination's response names it. It gets no credential. Can be repeated.",
    ),
)
"""Options for one of two registries."""


def registry_options(command: F) -> F:
    """Add all options."""
    command = connection_options(command)
    for option in reversed(_CREDENTIAL_OPTIONS):
        command = option(command)
    return command


def connection_options(command: F) -> F:
    """Add the options other than those for a credential."""
    for option in reversed(_CONNECTION_OPTIONS):
        command = option(command)
    return command


def side_options(command: F) -> F:
    """Add the options for the source or the destination only; see `options_of_sides`."""
    for option in reversed(_SIDE_OPTIONS):
        command = option(command)
    return command


def options_of_sides() -> "tuple[RegistryOptions, RegistryOptions]":
    """Return the options for the source only, and those for the destination only."""
    given: dict[str, Any] = click.get_current_context().meta.get(_META, {})
    names = ("plain_http", "insecure")
    read: dict[str, Any] = {name: True for name in names if given.get(f"src_{name}")}
    write: dict[str, Any] = {name: True for name in names if given.get(f"dest_{name}")}
    write["upload_hosts"] = upload_hosts(given.get("upload_host", ()))
    return read, write  # type: ignore[return-value]


def copy_options(listen: "Callable[[Event], None]") -> "CopyOptions":
    """Return the options of the command line for copies and plans, whose events a function gets."""
    options: dict[str, Any] = {**given_options(), "on_event": reporting_waits(listen)}
    read, write = options_of_sides()
    return {**options, "source_options": read, "destination_options": write}  # type: ignore[typeddict-item]


def given_options(ctx: click.Context | None = None, *, reads_input: bool = True) -> "RegistryOptions":
    """Return the options of the command line in the form that the library takes.

    If `reads_input` is false, options whose values come from standard input are ignored.
    """
    ctx = ctx or click.get_current_context()
    given: dict[str, Any] = ctx.meta.get(_META, {})
    if not reads_input:
        given = {name: value for name, value in given.items() if name not in _FROM_STDIN}
    if given.get("key") and not given.get("cert"):
        raise click.UsageError("--key requires --cert")
    names = ("plain_http", "insecure", "ca_file", "timeout", "retries")
    options = {name: given[name] for name in names if given.get(name) is not None}
    if "timeout" in options:
        options["timeout"] = _timeouts(options["timeout"])
    options["mirrors"] = tuple(map(_mirror, given.get("mirror", ())))
    options["trusted_token_hosts"] = tuple(map(_checked_host, given.get("trust_token_host", ())))
    if given.get("cert"):
        options["client_cert"] = (given["cert"], given.get("key"))
    if not ctx.params.get("quiet"):
        options["on_event"] = reporting_waits()
    return {**options, "credentials": _credentials(ctx, given)}  # type: ignore[typeddict-item]


def check_standard_input(path: str) -> None:
    """Raise an error if both the content and a credential are to be read from standard input."""
    given: dict[str, Any] = click.get_current_context().meta.get(_META, {})
    if path == "-" and (named := next((name for name in _FROM_STDIN[1:] if given.get(name)), None)):
        option = f"--{named.replace('_', '-')}"
        raise click.UsageError(f"{option} cannot be used with -: both would be read from standard input")


def upload_hosts(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of --upload-host."""
    return tuple([_checked_host(host, "--upload-host") for host in hosts])


def _timeouts(seconds: float) -> "Timeouts":
    """Return the timeouts for `--timeout`. A longer one than usual also allows more for a whole document."""
    from dreg_client.protocol.options import Options, Timeouts

    chosen, usual = Options(timeout=seconds).timeouts, Timeouts()
    return Timeouts(
        connect=chosen.connect,
        read=chosen.read,
        write=max(usual.write, seconds),
        whole=max(usual.whole, seconds),
    )


def _mirror(text: str) -> "Mirror":
    """Return the mirror that `URL[,insecure][,ca-file=FILE][,cert=FILE[,key=FILE]]` describes."""
    from dreg_client.protocol.option_types import Mirror

    url, *settings = text.split(",")
    given: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if name in given or (name, bool(value)) not in _MIRROR_SETTINGS or (equals and not value):
            expected = "URL[,insecure][,ca-file=FILE][,cert=FILE[,key=FILE]]"
            raise click.BadParameter(f"{setting[:60]!r} is not expected; write {expected}", param_hint="--mirror")
        given[name] = value or True
    if "key" in given and "cert" not in given:
        raise click.BadParameter("key= requires cert=", param_hint="--mirror")
    cert = (given["cert"], given.get("key")) if "cert" in given else None
    return Mirror(url, insecure="insecure" in given, ca_file=given.get("ca-file"), client_cert=cert)


def reads_stdin(ctx: click.Context) -> bool:
    """Return whether an option reads a secret from standard input."""
    given: dict[str, Any] = ctx.meta.get(_META, {})
    return bool(given.get("password_stdin") or given.get("identity_token_stdin"))


def _checked_host(text: str, option: str = "--trust-token-host") -> str:
    from dreg_client.values.origin import is_authority

    if is_authority(text):
        return text
    raise click.BadParameter("expected HOST or HOST:PORT, such as auth.example", param_hint=option)


def _credentials(ctx: click.Context, given: dict[str, Any]) -> "Credential | Credentials | None":
    from dreg_client.credentials.lookup import Credentials

    with _READING:  # standard input can be read only once, and each of several sources is opened in its own thread
        if "credentials" not in ctx.meta:
            ctx.meta["credentials"] = credential_from_stdin(*(given.get(name) for name in _FROM_STDIN))
    credential: Credential | None = ctx.meta["credentials"]
    if given.get("anonymous"):
        if credential is not None:
            raise click.UsageError("--anonymous cannot be used with a credential")
        return None
    return credential or Credentials(given.get("authfile"))


def credential_from_stdin(username: str | None, by_password: bool | None, by_token: bool | None) -> "Credential | None":
    """Return the credential whose secret is read from standard input; None if no option requests one."""
    from dreg_client.values.credential import Credential

    if by_token and (by_password or username):
        raise click.UsageError("--identity-token-stdin cannot be used with --username or --password-stdin")
    if by_token:
        return Credential(identity_token=_read_secret())
    if bool(username) != bool(by_password):
        reason = "--username and --password-stdin must be used together; passwords are only read from standard input"
        raise click.UsageError(reason)
    return Credential(username, _read_secret()) if username else None


def _read_secret() -> str:
    try:
        secret = sys.stdin.read(_LONGEST_SECRET + 1) if sys.stdin else ""
        secret.encode()  # in some locales, reading does not reject invalid bytes
    except UnicodeError:
        raise click.UsageError("standard input is not valid text; pipe the secret to dreg") from None
    if len(secret) > _LONGEST_SECRET:
        raise click.UsageError(f"standard input is longer than {_LONGEST_SECRET} characters; pipe the secret to dreg")
    secret = secret.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise click.UsageError("standard input is empty; pipe the secret to dreg")
    if "\n" in secret and not secret.lstrip().startswith("{"):  # the key of the user `_json_key` is JSON
        raise click.UsageError("standard input has several lines; expected one line, or a key that is a JSON object")
    return secret
