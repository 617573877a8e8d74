"""Errors of communication with a registry: authentication, error responses, transport, and unsafe URLs."""

import re
from dataclasses import dataclass, field

from dreg_client.errors.documents import ResponseTooLargeError
from dreg_client.errors.root import DregError


@dataclass(eq=False, repr=False)
class _ResponseError(DregError):
    """The content of an error response, for errors of several branches of the tree; never raised by itself.

    Attributes:
        what: What was requested or done.
        where: The store, or the URL without its query.
        advice: What to do.
        status: The status code of the response, 0 if no server responded.
        said: The errors that the registry reports, as `CODE: message`, at most ten.
        request_id: The registry's id of the request; empty if it sends none.
    """

    what: str
    where: str = ""
    advice: str = ""
    status: int = 0
    said: tuple[str, ...] = ()
    request_id: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """The error codes that the registry reports, such as `MANIFEST_UNKNOWN`; empty if it uses another format."""
        codes = (entry.partition(":")[0] for entry in self.said)
        return tuple(code for code in codes if re.fullmatch(r"[A-Z][A-Z0-9_]*", code, re.ASCII))

    def _with_response(self, sentence: str) -> str:
        facts = " ".join(filter(None, [str(self.status or ""), "; ".join(self.said)]))
        return sentence + (f" ({facts})" if facts else "") + (f"; {self.advice}" if self.advice else "")

    def _sentence(self) -> str:
        return self._with_response(f"{self.where}: {self.what}" if self.where else self.what)


class AuthError(DregError):
    """A credential or a token is missing, rejected or invalid."""


class ChallengeError(AuthError):
    """A registry's `WWW-Authenticate` challenge is malformed, or uses an unsupported scheme."""


class TokenError(AuthError):
    """A token server's response contains no valid token; its body is never shown."""


class TokenTooLargeError(TokenError, ResponseTooLargeError):
    """A token server's response is larger than any token; sizes are in bytes."""

    def _sentence(self) -> str:
        return f"{self.what}: its answer is longer than {self.limit} bytes; no token is as long"


@dataclass(eq=False, repr=False)
class UnauthorizedError(_ResponseError, AuthError):
    """The registry or its token server rejects the credential, or requires one (401).

    Attributes:
        anonymous: Whether the request was anonymous because no `credentials=` were given; `advice` says so then.
    """

    anonymous: bool = False


class DeniedError(UnauthorizedError):
    """The registry denies access to an authenticated user (403)."""


class CredentialError(AuthError):
    """A credential cannot be used: it belongs to another server, or its form cannot be sent."""


class CredentialHelperError(AuthError):
    """A credential helper is missing, failed or printed invalid output, which is shown only if it holds no secret."""


class ConfigError(AuthError):
    """A file of settings, credentials or certificates is broken or unsafe, or an option has an invalid value."""


class RegistryError(_ResponseError):
    """A registry, or another store that implements the same operations, returned an error."""


class NotFoundError(RegistryError):
    """A store has no such repository, tag, manifest or blob."""

    def _sentence(self) -> str:
        return self._with_response(f"{self.where} has no {self.what}" if self.where else f"there is no {self.what}")


class UnknownNamespaceError(RegistryError, KeyError):
    """The catalog has no repository in this namespace; also a `KeyError`."""


class UnsupportedError(RegistryError):
    """A store does not support the operation."""


@dataclass(eq=False, repr=False)
class RateLimitedError(RegistryError):
    """A registry limits the rate of requests (429), or asks for a longer delay than the maximum.

    Attributes:
        retry_after: The requested delay in seconds, None if the registry sends none.
    """

    retryable = True
    retry_after: float | None = None


class ServerError(RegistryError):
    """A registry failed to handle the request (5xx)."""

    retryable = True


@dataclass(eq=False, repr=False)
class TransportError(DregError):
    """A request or its response was not transferred.

    Attributes:
        reason: What happened.
        where: The URL, without its query.
    """

    retryable = True
    reason: str
    where: str = ""

    def _sentence(self) -> str:
        return f"{self.where}: {self.reason}" if self.where else self.reason


@dataclass(eq=False, repr=False)
class ConnectError(TransportError):
    """A connection cannot be made: it was rejected, or timed out.

    Attributes:
        refused: Whether the host rejects connections to this port; at most one more attempt is made then.
    """

    refused: bool = False


class ProxyRefusedError(ConnectError):
    """A proxy rejects the connection; another attempt would not change that."""

    retryable = False


class UnknownHostError(ConnectError):
    """A host name does not exist; another attempt would not change that."""

    retryable = False


class TransferTimeoutError(TransportError):
    """A transfer made no progress, or was too slow, until it timed out."""


class NoPlaceError(TransferTimeoutError):
    """The connection pool of a host had no free connection until the timeout."""

    retryable = False


class TruncatedBodyError(TransportError):
    """A body ended early, and all attempts to resume it failed."""


class ProtocolError(TransportError):
    """A response violates the protocol."""

    retryable = False


class TLSError(TransportError):
    """A server's certificate is not trusted, or it supports no secure TLS; plain HTTP is never tried instead."""

    retryable = False


class NotTLSError(TLSError):
    """The server does not use TLS, but the connection was made with TLS."""


class OnlyTLSError(TLSError):
    """The server uses TLS, but the connection was made without TLS."""


@dataclass(eq=False, repr=False)
class RetryExhaustedError(TransportError):
    """All attempts failed.

    Attributes:
        last: The error of the last attempt.
        attempts: The number of attempts.
    """

    retryable = False
    reason: str = field(init=False)
    where: str = field(init=False, default="")
    last: DregError
    attempts: int

    def __post_init__(self) -> None:
        super().__post_init__()
        self.reason, self.where = str(self.last), ""

    def _sentence(self) -> str:
        return f"{self.last}; given up after {self.attempts} attempts"


@dataclass(eq=False, repr=False)
class UnsafeURLError(DregError):
    """A registry refers to a URL that is not safe to request. Nothing was sent there.

    Attributes:
        where: The URL that refers to it, without its query.
        target: The unsafe URL, without its query.
        reason: Why it is unsafe, and what to do.
    """

    where: str
    target: str
    reason: str

    def _sentence(self) -> str:
        return f"{self.where} points to {self.target}: {self.reason}"


class InsecureDowngradeError(UnsafeURLError):
    """A URL leads from https to http, or a password would be sent over plain HTTP."""


class CrossOriginError(UnsafeURLError):
    """A URL leads to another host, where only the registry's own is allowed."""


class BlockedAddressError(UnsafeURLError):
    """A URL of a public host leads to a private address: loopback, a private network, or cloud metadata."""
