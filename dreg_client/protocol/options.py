"""The options of a client, which `Registry`, `open_store`, `open_image` and others accept."""

import math
import ssl
import warnings
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypedDict, cast, runtime_checkable

from dreg_client._logging import log
from dreg_client.protocol.events import Event
from dreg_client.protocol.option_types import NAMES_ELSEWHERE, OPTION_TYPES, Mirror
from dreg_client.protocol.retry import ATTEMPTS, LONGEST_WAIT
from dreg_client.values.credential import Credential
from dreg_client.values.origin import is_authority

CONNECTIONS: Final = 8
USER_AGENT: Final = "dreg-client/2 (+https://pypi.org/project/dreg-client)"


@dataclass(frozen=True, slots=True)
class FoundCredential:
    """The result of looking up a credential.

    Attributes:
        credential: The credential; None for an anonymous request.
        faults: Messages about what went wrong; shown if the registry then requires authentication.
        places: Where credentials were looked up, such as the paths of files; for messages.
    """

    credential: Credential | None = None
    faults: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


class CredentialSource(Protocol):
    """An object that looks up credentials, such as `Credentials.default()`."""

    def find(self, registry: str, repository: str = "") -> FoundCredential:
        """Find the credential for a registry (host, and port if any), or for one of its repositories."""
        ...


@runtime_checkable
class TokenService(Protocol):
    """An object of your own that returns tokens, used instead of the registry's token server."""

    def request_token(self, scope: str) -> str | Awaitable[str]:
        """Return a token that grants `scope`, such as `repository:acme/web:pull`. May be async in async clients."""
        ...


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts in seconds, each for one step of a request. `float("inf")` means no limit.

    A single number as `timeout` sets `connect` (10 seconds at most) and `read`; the others keep their defaults.

    Attributes:
        connect: Time to connect to a host, including TLS.
        read: Time from sending a request until the head of its response is complete, and then until the next bytes of
            its body arrive.
        write: Time until the next bytes of a request are sent.
        pool: Time until a connection is free.
        whole: Time to read a whole document, or a page of a list. Blobs have no such limit, but must arrive with at
            least 1 KiB per second.

    A request must be complete within 90 seconds, with all its redirects, token requests and retries. This time grows
    with `read` and `whole` if they exceed their defaults.

    Raises:
        TypeError: A timeout is not a number.
        ValueError: A timeout is negative or NaN.
    """

    connect: float = 10.0
    read: float = 30.0
    write: float = 60.0
    pool: float = 30.0
    whole: float = 60.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            _check_seconds(f"Timeouts: {name} must be", getattr(self, name))


def _check_seconds(must_be: str, seconds: object) -> None:
    expected = f"{must_be} a number of seconds, at least 0 (float('inf') for no limit)"
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(f"{expected}, not {type(seconds).__name__}{_as_timeouts(seconds)}")
    if math.isnan(seconds) or seconds < 0:
        raise ValueError(f"{expected}, not {seconds}")


def _as_timeouts(given: object) -> str:
    """Return advice for a pair (connect, read), as requests takes it, and for httpx.Timeout."""
    match given:
        case (int() | float() as connect, int() | float() as read):
            return f"; write timeout=Timeouts(connect={connect}, read={read})"
        case object(connect=int() | float() as connect, read=int() | float() as read):
            return f"; write timeout=Timeouts(connect={connect}, read={read})"
        case _:
            return ""


def _check_times(timeout: object, deadline: object) -> None:
    if not isinstance(timeout, Timeouts):
        _check_seconds("timeout= must be Timeouts, or", timeout)
    if deadline is not None:
        _check_seconds("deadline= must be None, or", deadline)


def _check_hosts(trusted: tuple[str, ...]) -> None:
    for host in trusted:
        if not is_authority(host):
            shown = host.rpartition("@")[2]  # without a password
            raise ValueError(
                f"trusted_token_hosts= takes HOST or HOST:PORT, such as 'auth.example', not {shown!r:.100}"
            )


class _Listener:
    """The caller's `on_event`. An exception in it is reported once, and has no other effect."""

    def __init__(self, call: Callable[[Event], None]) -> None:
        self._call, self._failed = call, False

    def __call__(self, event: Event) -> None:
        try:
            self._call(event)
        except Exception as failure:  # noqa: BLE001 (a caller's code may raise anything)
            if not self._failed:
                self._failed = True
                log.warning(
                    "on_event raised an exception; it is still called, but further exceptions are not reported",
                    exc_info=True,
                )
                message = f"on_event raised {type(failure).__name__}: {failure}; further exceptions are not reported"
                with suppress(RuntimeWarning):  # even if warnings are errors, this one is not
                    warnings.warn(message, RuntimeWarning, stacklevel=2)


class RegistryOptions(TypedDict, total=False):
    """The keyword arguments of `Registry`, `AsyncRegistry`, `open_store`, `open_image` (see `Options`)."""

    credentials: Credential | CredentialSource | tuple[str, str] | None
    auth_service: TokenService | None
    plain_http: bool
    insecure: bool
    ca_file: str | None
    client_cert: tuple[str, str | None] | None
    certs_dirs: tuple[str, ...]
    ssl_context: ssl.SSLContext | None
    mirrors: tuple[str | Mirror, ...]
    trusted_token_hosts: tuple[str, ...]
    timeout: Timeouts | float
    deadline: float | None
    retries: int
    max_retry_after: float
    connections: int
    proxy: str | None
    trust_env: bool
    user_agent: str
    http: Literal["httpx", "httpx2", ""]
    transport: object
    keep_alive: bool
    on_event: Callable[[Event], None] | None


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a client.

    Attributes:
        credentials: User name and password, a `Credential`, or an object that looks one up. None: requests are
            anonymous.
        auth_service: An object that returns tokens, used instead of the registry's own token server.
        plain_http: Use HTTP for a registry that is named without a scheme. Passwords are then sent unencrypted.
        insecure: Do not verify the certificate of the registry. Other hosts, such as mirrors and token servers, are
            still verified.
        ca_file: A file with CA certificates to trust in addition to the system's, for all hosts.
        client_cert: Paths of the client certificate and its key; the key is None if both are in one file. It is sent to
            the registry only.
        certs_dirs: Directories that contain a directory with certificates for each registry,
            `HOST[:PORT]/*.crt|*.cert|*.key`, as used by docker and podman.
        ssl_context: A TLS context, used unchanged instead of all other options for certificates. It must not offer
            HTTP/2 (`h2`) by ALPN, as a context does once an httpx client with HTTP/2 has used it.
        mirrors: URLs of mirrors, tried first for manifests and blobs, in order; a `Mirror` has settings for TLS of its
            own. They never get the registry's credential and client certificate.
        trusted_token_hosts: Additional hosts whose token server may get the credential.
        timeout: `Timeouts`; or a number of seconds, which sets `connect` (10 at most) and `read`, while `write`, `pool`
            and `whole` keep their defaults.
        deadline: The time for each call, such as `tags()` or `download_blob()`, in seconds, with all requests that it
            sends. An iterator or a stream must be read to its end within this time. `RepositoryValidation` applies it
            to each request. None: no limit.
        retries: The maximum number of retries of a request.
        max_retry_after: The longest `Retry-After` to wait for, in seconds. A longer one raises an error immediately.
        connections: The maximum number of connections to one host.
        proxy: The URL of a proxy for all requests. None: use the environment variables.
        trust_env: Use the environment variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
        user_agent: The `User-Agent` header.
        http: The library of `transport`: `httpx`, or `httpx2` if installed. If empty, the environment variable
            `DREG_HTTP` decides; the default is `httpx`.
        transport: A transport of that library, used instead of the built-in one. It must handle proxies and
            certificates itself. Each request has `Connection: close`.
        keep_alive: Let `transport` keep its connections for later requests. It must not take bytes after a response as
            the next response, as httpx does: a server could then forge responses. The built-in transport always keeps
            its connections, and closes those with such bytes.
        on_event: A function that is called with each event (see `dreg_client.Event`), in the thread or task in which
            the event happens. An exception in it does not affect the request; the first one is reported as a
            `RuntimeWarning`.

    Raises:
        TypeError: An option has the wrong type. The message says what to write.
        ValueError: An option has an invalid value.
    """

    credentials: Credential | CredentialSource | tuple[str, str] | None = None
    auth_service: TokenService | None = None
    plain_http: bool = False
    insecure: bool = False
    ca_file: str | None = None
    client_cert: tuple[str, str | None] | None = None
    certs_dirs: tuple[str, ...] = ()
    ssl_context: ssl.SSLContext | None = None
    mirrors: tuple[str | Mirror, ...] = ()
    trusted_token_hosts: tuple[str, ...] = ()
    timeout: Timeouts | float = field(default_factory=Timeouts)
    deadline: float | None = None
    retries: int = ATTEMPTS - 1
    max_retry_after: float = LONGEST_WAIT
    connections: int = CONNECTIONS
    proxy: str | None = field(default=None, repr=False)
    trust_env: bool = True
    user_agent: str = USER_AGENT
    http: Literal["httpx", "httpx2", ""] = ""
    transport: object = None
    keep_alive: bool = False
    on_event: Callable[[Event], None] | None = None

    def __post_init__(self) -> None:
        for name, accepted in OPTION_TYPES.items():
            accepted.check(name, getattr(self, name))
        if not self.user_agent.isascii() or not self.user_agent.isprintable():
            raise ValueError("user_agent must consist of printable ASCII characters")
        if self.connections < 1 or self.retries < 0:
            raise ValueError("connections must be at least 1, and retries at least 0")
        _check_hosts(self.trusted_token_hosts)
        _check_times(self.timeout, self.deadline)
        if self.credentials is not None and self.auth_service is not None:
            raise ValueError("pass either credentials or auth_service, not both")
        if self.credentials is not None and not _is_source(self.credentials):
            object.__setattr__(self, "credentials", _credential_of(self.credentials, "credentials"))
        if self.on_event is not None and not isinstance(self.on_event, _Listener):
            object.__setattr__(self, "on_event", _Listener(self.on_event))

    @property
    def timeouts(self) -> Timeouts:
        """The timeouts of all steps."""
        if isinstance(self.timeout, Timeouts):
            return self.timeout
        return Timeouts(connect=min(self.timeout, 10.0), read=self.timeout)

    @property
    def budget(self) -> float:
        """The time for one request, with all its attempts, in seconds: 90 with the default options."""
        timeouts = self.timeouts
        return max(self.max_retry_after + 30.0, timeouts.read + 60.0, timeouts.whole + 30.0)

    @property
    def requires_tls(self) -> bool:
        """Whether an option is set that only makes sense with TLS."""
        return bool(self.insecure or self.ca_file or self.client_cert or self.ssl_context)

    def find(self, registry: str, repository: str) -> FoundCredential:
        """Look up the credential for a repository. Nothing is found if `credentials` is a credential or None."""
        if self.credentials is None or isinstance(self.credentials, Credential | tuple):
            return FoundCredential()
        return self.credentials.find(registry, repository)


def options_of(given: RegistryOptions) -> Options:
    """Return the options from a caller's keyword arguments.

    Raises:
        TypeError: There is no such option, or it has the wrong type. The message says what to write.
        ValueError: An option has an invalid value.
    """
    for name in given:
        if name not in RegistryOptions.__annotations__:
            known = ", ".join(RegistryOptions.__annotations__)
            raise TypeError(f"there is no option {name}=; {NAMES_ELSEWHERE.get(name, f'the options are: {known}')}")
    return Options(**given)


def _is_source(given: object) -> bool:
    # A str also has a method `find`.
    return callable(getattr(given, "find", None)) and not isinstance(given, str | bytes)


def _credential_of(auth: object, name: str) -> Credential:
    """Return the credential in the argument `name`. Authentication objects of httpx are rejected (D-04)."""
    if isinstance(auth, Credential):
        return auth
    kind = type(auth).__name__
    pair = cast("Sequence[object]", auth) if isinstance(auth, tuple | list) else ()
    if len(pair) == 2:
        return Credential(_part(name, "user name", pair[0]), _part(name, "password", pair[1]))
    sources = " or Credentials.default()" if name == "credentials" else ""
    message = (
        f"{name}= takes a pair (user, password), a Credential{sources}, not {kind}; "
        "for your own tokens, pass auth_service= an object with request_token(scope)"
    )
    raise TypeError(message)


def _part(name: str, part: str, value: object) -> str:
    """Return the user name or the password of a pair. If it is None or empty, a variable is probably not set."""
    if isinstance(value, str) and value:
        return value
    found = (
        "not be empty"
        if isinstance(value, str)
        else f"be a str, not {type(value).__name__ if value is not None else None}"
    )
    advice = "; is its environment variable set?" if value is None or value == "" else ""
    kind = ValueError if isinstance(value, str) else TypeError
    raise kind(f"{name}=: the {part} must {found}{advice}")


def with_auth(options: RegistryOptions, auth: object) -> RegistryOptions:
    """Return the options with `auth=` as `credentials` or `auth_service`; raise ValueError if one of these is given."""
    if auth is None:
        return options
    for name in ("auth_service", "credentials"):
        if options.get(name) is not None:
            raise ValueError(f"pass either auth or {name}, not both")
    if isinstance(auth, TokenService):
        return {**options, "auth_service": auth}
    return {**options, "credentials": _credential_of(auth, "auth")}
