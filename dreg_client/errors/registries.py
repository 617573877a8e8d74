"""Errors of authentication, error responses, the transport, and unsafe URLs."""

import re
from dataclasses import dataclass, field

from dreg_client.errors.documents import ResponseTooLargeError
from dreg_client.errors.root import DregError


@dataclass(eq=False, repr=False)
class _ResponseError(DregError):
    """The content of an error response, for several branches of the tree. Only subclasses are raised.

    Attributes:
        what: The requested object, or what went wrong.
        where: The store, or the URL without its query.
        advice: What to do.
        status: The status code of the response; 0 if no server responded.
        said: The errors in the response as `CODE: message`, at most ten.
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
        """The error codes in the response, such as `MANIFEST_UNKNOWN`; empty if it has another format."""
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
    """A token server's response contains no valid token. The response body is never shown."""


class TokenTooLargeError(TokenError, ResponseTooLargeError):
    """A token server's response is too large to be a token.

    Attributes:
        what: The token server.
        size: The size of the response in bytes, as far as it is known.
        limit: The limit in bytes.
        advice: Empty; the limit cannot be changed.
    """

    def _sentence(self) -> str:
        return f"{self.what}: the response is longer than {self.limit} bytes, so it is not a token"


@dataclass(eq=False, repr=False)
class UnauthorizedError(_ResponseError, AuthError):
    """The registry or its token server rejects the credential, or requires one (401).

    Attributes:
        anonymous: Whether the request was anonymous because `credentials=` was not given; `advice` then explains it.
    """

    anonymous: bool = False


class DeniedError(UnauthorizedError):
    """The registry denies access to an authenticated user (403)."""


class CredentialError(AuthError):
    """A credential cannot be used: it belongs to another server, or contains characters that cannot be sent."""


class CredentialHelperError(AuthError):
    """A credential helper is missing, failed or printed invalid output. Output with a secret is never shown."""


class ConfigError(AuthError):
    """A configuration, credential or certificate file is broken or unsafe, or an option has an invalid value."""


class RegistryError(_ResponseError):
    """A registry, or another store with the same operations, returned an error."""


class NotFoundError(RegistryError):
    """The requested repository, tag, manifest or blob does not exist."""

    def _sentence(self) -> str:
        return self._with_response(f"{self.where} has no {self.what}" if self.where else f"there is no {self.what}")


class UnknownNamespaceError(RegistryError, KeyError):
    """The catalog has no repository in the requested namespace. Also a `KeyError`."""


class UnsupportedError(RegistryError):
    """A store does not support the operation."""


@dataclass(eq=False, repr=False)
class RateLimitedError(RegistryError):
    """The registry limits the rate of requests (429), or its `Retry-After` exceeds the maximum delay.

    Attributes:
        retry_after: The requested delay in seconds; None if the registry sends none.
    """

    retryable = True
    retry_after: float | None = None


class ServerError(RegistryError):
    """The registry failed to handle the request (5xx). `retryable` is False for a status such as 501."""

    retryable = True


class UploadError(RegistryError):
    """A registry rejects a part of an upload, or its response does not say how to go on."""


class UploadOffsetError(UploadError):
    """A registry has received other parts of an upload than were sent, or rejects the position of a part."""


@dataclass(eq=False, repr=False)
class TransportError(DregError):
    """A request could not be sent, or its response could not be received.

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
    """A connection failed or timed out.

    Attributes:
        refused: Whether the host refused the connection. It is then retried at most once.
    """

    refused: bool = False


class ProxyRefusedError(ConnectError):
    """The proxy rejected the connection. This is not retried."""

    retryable = False


class UnknownHostError(ConnectError):
    """The host name does not exist. This is not retried."""

    retryable = False


class TransferTimeoutError(TransportError):
    """A transfer stalled or was too slow, and timed out."""


class NoPlaceError(TransferTimeoutError):
    """No connection in the pool became free before the timeout. This is not retried."""


class DeadlineError(TransferTimeoutError):
    """A call was not complete at its deadline. This is not retried."""


class TruncatedBodyError(TransportError):
    """A response body ended early, and all attempts to resume it failed."""


class ProtocolError(TransportError):
    """A response violates the HTTP or registry protocol."""

    retryable = False


class TLSError(TransportError):
    """The server's certificate is not trusted, or its TLS version is not secure. Plain HTTP is never tried instead."""

    retryable = False


class NotTLSError(TLSError):
    """The connection uses TLS, but the server does not."""


class OnlyTLSError(TLSError):
    """The server requires TLS, but the connection does not use it."""


@dataclass(eq=False, repr=False)
class RetryExhaustedError(TransportError):
    """All attempts failed.

    Attributes:
        last: The error of the last attempt.
        attempts: The number of attempts.
    """

    reason: str = field(init=False)
    where: str = field(init=False, default="")
    last: DregError
    attempts: int

    def __post_init__(self) -> None:
        super().__post_init__()
        self.reason, self.where = str(self.last), ""
        self.retryable: bool = self.last.retryable

    def _sentence(self) -> str:
        return f"{self.last}; gave up after {self.attempts} attempts"


@dataclass(eq=False, repr=False)
class UnsafeURLError(DregError):
    """A registry redirected or linked to a URL that is not safe to request. Nothing was sent there.

    Attributes:
        where: The URL of the response that refers to it, without its query.
        target: The unsafe URL, without its query.
        reason: Why it is unsafe, and what to do.
    """

    where: str
    target: str
    reason: str

    def _sentence(self) -> str:
        return f"{self.where} points to {self.target}: {self.reason}"


class InsecureDowngradeError(UnsafeURLError):
    """A redirect or link leads from https to http, or a password would be sent over plain HTTP."""


class CrossOriginError(UnsafeURLError):
    """A redirect or link leads to another host, although only the registry itself is allowed."""


class BlockedAddressError(UnsafeURLError):
    """A public host redirects to a private address: loopback, a private network, or cloud metadata."""
