"""How a registry is talked to: the options that all doors take, once for all of them."""

import ssl
import warnings
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypedDict, runtime_checkable

from dreg_client._logging import log
from dreg_client.protocol.events import Event
from dreg_client.protocol.retry import ATTEMPTS, LONGEST_WAIT
from dreg_client.values.credential import Credential

CONNECTIONS: Final = 8
USER_AGENT: Final = "dreg-client/2 (+https://pypi.org/project/dreg-client)"


@dataclass(frozen=True, slots=True)
class FoundCredential:
    """What a search for a credential came to.

    Attributes:
        credential: The credential, None for none: the registry is asked without.
        faults: What went wrong on the way, for people; a registry that then wants to know who we are repeats it.
        places: Where it was looked for, for people, such as the paths of files.
    """

    credential: Credential | None = None
    faults: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


class CredentialSource(Protocol):
    """Where credentials are looked up, such as `Credentials.default()`."""

    def find(self, registry: str, repository: str = "") -> FoundCredential:
        """The credential for a registry (host, and port if any) and, where one cares, a repository of it."""
        ...


@runtime_checkable
class TokenService(Protocol):
    """A service of the caller that returns tokens, instead of the registry's own token server."""

    def request_token(self, scope: str) -> str | Awaitable[str]:
        """A token that allows `scope`, such as `repository:acme/web:pull`; awaited where the client is asynchronous."""
        ...


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; each is for one step, and a body that comes ends the wait for it.

    Attributes:
        connect: To reach a host, TLS included.
        read: Between two pieces of an answer.
        write: Between two pieces of what is sent.
        pool: For a connection to be free.
        whole: For a document or a page of a list as a whole; blobs have none, but must not fall below 1 KiB a second.
    """

    connect: float = 10.0
    read: float = 30.0
    write: float = 60.0
    pool: float = 30.0
    whole: float = 60.0


class _Listener:
    """A caller's `on_event`; where that fails, it is told once, and nothing else does."""

    def __init__(self, hear: Callable[[Event], None]) -> None:
        if not callable(hear):  # pyright: ignore[reportUnnecessaryComparison]
            raise TypeError(f"on_event= takes what can be called with an event, not {type(hear).__name__}")
        self._hear, self._failed = hear, False

    def __call__(self, event: Event) -> None:
        try:
            self._hear(event)
        except Exception as failure:  # noqa: BLE001 (a stranger's code: anything may come out of it)
            if not self._failed:
                self._failed = True
                log.warning(
                    "on_event failed; it goes on being called, and further failures are not told", exc_info=True
                )
                told = f"on_event failed ({type(failure).__name__}: {failure}); further failures are not told"
                with suppress(RuntimeWarning):  # where warnings are errors, this one is none
                    warnings.warn(told, RuntimeWarning, stacklevel=2)


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
    mirrors: tuple[str, ...]
    trusted_token_hosts: tuple[str, ...]
    timeout: Timeouts | float
    retries: int
    max_retry_after: float
    connections: int
    proxy: str | None
    trust_env: bool
    user_agent: str
    http: Literal["httpx", "httpx2", ""]
    transport: object
    on_event: Callable[[Event], None] | None


@dataclass(frozen=True, slots=True)
class Options:
    """How a registry is talked to.

    Attributes:
        credentials: Who we are: a pair of user and password, a `Credential`, or where one is looked up; None: nobody.
        auth_service: Gives tokens in place of the registry's own token server.
        plain_http: Whether a registry that is named without a scheme is asked over http, and may see a password so.
        insecure: Whether the registry's certificate is not checked. It holds for its host alone.
        ca_file: A file with certificates of authorities that are trusted besides the system's.
        client_cert: Files with our certificate and its key; None for the key where it is in the same file.
        certs_dirs: Folders with a folder a registry, `HOST[:PORT]/*.crt|*.cert|*.key`, as docker and podman have them.
        ssl_context: Used as it is, in place of all that is said of certificates here.
        mirrors: URLs that are asked for manifests and blobs first, in order; they get no credential of the registry.
        trusted_token_hosts: Hosts whose token server may see the credential though it is not the registry's own.
        timeout: Seconds, or one number for connect and read.
        retries: How many attempts may follow the first.
        max_retry_after: The longest wait that a registry may ask for, in seconds; more is an error at once.
        connections: The most connections to one host.
        proxy: The URL of a proxy for all requests; None: as the environment says.
        trust_env: Whether `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are heeded.
        user_agent: What the registry sees as our name.
        http: The library that sends: `httpx`, or `httpx2` where the extra is installed. Empty: `DREG_HTTP`, else httpx.
        transport: A transport of that library, in place of our own; proxies and certificates are then its business.
        on_event: Called with each event (see `dreg_client.Event`), in the thread or task that it happens in. What it
            raises is told once, as a `RuntimeWarning`, and changes nothing.
    """

    credentials: Credential | CredentialSource | tuple[str, str] | None = None
    auth_service: TokenService | None = None
    plain_http: bool = False
    insecure: bool = False
    ca_file: str | None = None
    client_cert: tuple[str, str | None] | None = None
    certs_dirs: tuple[str, ...] = ()
    ssl_context: ssl.SSLContext | None = None
    mirrors: tuple[str, ...] = ()
    trusted_token_hosts: tuple[str, ...] = ()
    timeout: Timeouts | float = field(default_factory=Timeouts)
    retries: int = ATTEMPTS - 1
    max_retry_after: float = LONGEST_WAIT
    connections: int = CONNECTIONS
    proxy: str | None = field(default=None, repr=False)
    trust_env: bool = True
    user_agent: str = USER_AGENT
    http: Literal["httpx", "httpx2", ""] = ""
    transport: object = None
    on_event: Callable[[Event], None] | None = None

    def __post_init__(self) -> None:
        if not self.user_agent.isascii() or not self.user_agent.isprintable():
            raise ValueError("user_agent: printable ASCII characters are due")
        if self.connections < 1 or self.retries < 0:
            raise ValueError("connections: at least 1 is due; retries: at least 0")
        if self.credentials is not None and self.auth_service is not None:
            raise ValueError("give credentials or auth_service, not both")
        if self.auth_service is not None and not callable(getattr(self.auth_service, "request_token", None)):
            kind = type(self.auth_service).__name__
            raise TypeError(f"auth_service= takes an object with request_token(scope), not {kind}")
        if self.credentials is not None and not _is_source(self.credentials):
            object.__setattr__(self, "credentials", credential_of(self.credentials, "credentials"))

        if self.on_event is not None and not isinstance(self.on_event, _Listener):
            object.__setattr__(self, "on_event", _Listener(self.on_event))

    @property
    def timeouts(self) -> Timeouts:
        """The time-outs, each by its name."""
        if isinstance(self.timeout, Timeouts):
            return self.timeout
        return Timeouts(connect=min(self.timeout, 10.0), read=self.timeout)

    @property
    def speaks_of_tls(self) -> bool:
        """Whether something is said that makes sense over TLS alone."""
        return bool(self.insecure or self.ca_file or self.client_cert or self.ssl_context)

    def find(self, registry: str, repository: str) -> FoundCredential:
        """What is looked up for a repository of a registry; a credential that was given needs no search.

        Raises:
            ConfigError: A file is broken or unsafe.
        """
        if self.credentials is None or isinstance(self.credentials, Credential | tuple):
            return FoundCredential()
        return self.credentials.find(registry, repository)


def _is_source(given: object) -> bool:
    """Whether credentials are looked up there; a text has a `find` of its own."""
    return callable(getattr(given, "find", None)) and not isinstance(given, str | bytes)


def credential_of(auth: object, name: str = "auth") -> Credential:
    """The credential that `auth=`, or `credentials=`, stands for: a user and a password.

    Args:
        auth: What was given.
        name: As what it was given.

    Raises:
        TypeError: It is something else, such as an authentication of the HTTP library (decision D-04).
    """
    match auth:
        case Credential():
            return auth
        case (str() as username, str() as password):
            return Credential(username, password)
        case _:
            kind = type(auth).__name__
            message = (
                f"{name}= takes a pair (user, password), not {kind}: what is sent to whom is decided here, host by "
                "host; for tokens of your own give auth_service= an object with request_token(scope)"
            )
            raise TypeError(message)


def with_auth(options: RegistryOptions, auth: object) -> RegistryOptions:
    """Return the options with what `auth=` stands for: `credentials` or `auth_service`.

    Raises:
        TypeError: `auth` is neither a credential nor a token service.
        ValueError: `auth_service` or `credentials` was given, too.
    """
    if auth is None:
        return options
    if options.get("auth_service") is not None:
        raise ValueError("give auth or auth_service, not both")
    if options.get("credentials") is not None:
        raise ValueError("give auth or credentials, not both")
    if isinstance(auth, TokenService):
        return {**options, "auth_service": auth}
    return {**options, "credentials": credential_of(auth)}
