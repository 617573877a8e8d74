"""What goes wrong between us and a registry: credentials, refusals, the way there, and where it would lead."""

import re
from typing import Final, Self

from dreg_client.errors.documents import ResponseTooLargeError
from dreg_client.errors.root import DregError

_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)


class _Answered(Exception):  # noqa: N818 (a mixin: no error by itself)
    """What a server's refusal says; a mixin, so that errors of several branches have the same facts.

    Attributes:
        what: What was asked for or done.
        where: The store, or the URL without its query.
        advice: What to do.
        status: The status of the answer, 0 where no server answered.
        said: What the registry says, as `CODE: message`, at most ten.
        request_id: What the registry calls the request, empty where it does not say.
    """

    what: str
    where: str
    advice: str
    status: int
    said: tuple[str, ...]
    request_id: str

    def __init__(  # noqa: PLR0917 (a pickle gives them back in their order)
        self,
        what: str,
        where: str = "",
        advice: str = "",
        status: int = 0,
        said: tuple[str, ...] = (),
        request_id: str = "",
    ) -> None:
        super().__init__(what, where, advice, status, said, request_id)
        self.what, self.where, self.advice = what, where, advice
        self.status, self.said, self.request_id = status, said, request_id

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of what the registry says, such as `MANIFEST_UNKNOWN`; none where it says it in another form."""
        codes = (entry.partition(":")[0] for entry in self.said)
        return tuple(code for code in codes if _CODE.fullmatch(code))

    def _answer(self) -> str:
        facts = " ".join(filter(None, [str(self.status or ""), "; ".join(self.said)]))
        return f" ({facts})" if facts else ""

    def _advised(self, sentence: str) -> str:
        return f"{sentence}{self._answer()}" + (f"; {self.advice}" if self.advice else "")

    def _sentence(self) -> str:
        return self._advised(f"{self.where}: {self.what}" if self.where else self.what)


# --- credentials and tokens


class AuthError(DregError):
    """A credential or a token is missing, refused or broken."""


class ChallengeError(AuthError):
    """What a registry asks for as proof cannot be read, or is nothing that is known here."""


class TokenError(AuthError):
    """What a token server answered is no token; its body is never shown."""


class TokenTooLargeError(TokenError, ResponseTooLargeError):
    """A token server answered with more bytes than any token has; sizes are in bytes."""

    def _sentence(self) -> str:
        return f"{self.what}: its answer is longer than {self.limit} bytes; no token is as long"


class UnauthorizedError(_Answered, AuthError):
    """The registry, or its token server, does not accept who we are (401).

    Attributes:
        anonymous: Whether the request was anonymous because no `credentials=` were given; `advice` says so then.
    """

    anonymous: bool

    def __init__(  # noqa: PLR0917 (a pickle gives them back in their order)
        self,
        what: str,
        where: str = "",
        advice: str = "",
        status: int = 0,
        said: tuple[str, ...] = (),
        request_id: str = "",
        anonymous: bool = False,  # noqa: FBT001, FBT002 (as above)
    ) -> None:
        super().__init__(what, where, advice, status, said, request_id)
        self.anonymous = anonymous

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]:
        return type(self), (*self.args, self.anonymous)


class DeniedError(UnauthorizedError):
    """The registry knows who we are, and does not let us (403)."""


class CredentialError(AuthError):
    """A credential cannot be used: it is of another server, or of a form that cannot be sent."""


class CredentialHelperError(AuthError):
    """A credential helper is missing, failed or answered nonsense; what it said is shown only where it is no secret."""


class ConfigError(AuthError):
    """A file of settings or credentials is broken or unsafe."""


# --- refusals


class RegistryError(_Answered, DregError):
    """A registry, or a store that stands for one, refused."""


class NotFoundError(RegistryError):
    """There is no such thing in the store."""

    def _sentence(self) -> str:
        return self._advised(f"{self.where} has no {self.what}" if self.where else f"there is no {self.what}")


class UnknownNamespaceError(RegistryError, KeyError):
    """The catalog has no repository in this namespace; also a `KeyError`."""


class UnsupportedError(RegistryError):
    """The store does not offer it."""


class RateLimitedError(RegistryError):
    """The registry asks for fewer requests (429), or for a longer wait than we take.

    Attributes:
        retry_after: The seconds that it asks for, None where it does not say.
    """

    retryable = True
    retry_after: float | None

    def __init__(  # noqa: PLR0917 (as above)
        self,
        what: str,
        where: str = "",
        advice: str = "",
        status: int = 0,
        said: tuple[str, ...] = (),
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, where, advice, status, said, request_id)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]:
        return type(self), (*self.args, self.retry_after)


class ServerError(RegistryError):
    """The registry failed (5xx)."""

    retryable = True


# --- the way there


class TransportError(DregError):
    """The way to a registry failed.

    Attributes:
        reason: What happened.
        where: The URL, without its query.
    """

    retryable = True
    reason: str
    where: str

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(reason, where)
        self.reason, self.where = reason, where

    def _sentence(self) -> str:
        return f"{self.where}: {self.reason}" if self.where else self.reason


class ConnectError(TransportError):
    """No connection: no such host, nobody listens, or nobody answers in time."""


class ProxyRefusedError(ConnectError):
    """A proxy does not let us through; it would not the next time either."""

    retryable = False


class UnknownHostError(ConnectError):
    """No host has this name; it would have none the next time either."""

    retryable = False


class TransferTimeoutError(TransportError):
    """Bytes came too slowly, or not at all."""


class NoPlaceError(TransferTimeoutError):
    """All connections that one host may have are in use, by ourselves."""

    retryable = False


class TruncatedBodyError(TransportError):
    """A body ended before it was whole, also after all attempts to go on where it ended."""


class ProtocolError(TransportError):
    """What came back is not what the protocol allows."""

    retryable = False


class TLSError(TransportError):
    """The server did not prove who it is, or speaks no TLS that is safe; plain http is never tried instead."""

    retryable = False


class NotTLSError(TLSError):
    """The server does not use TLS, but the connection was made with TLS."""


class OnlyTLSError(TLSError):
    """The server uses TLS, but the connection was made without TLS."""


class RetryExhaustedError(TransportError):
    """All attempts failed.

    Attributes:
        last: The error of the last one.
        attempts: How many there were.
    """

    retryable = False
    reason: str
    where: str
    last: DregError
    attempts: int

    def __init__(self, last: DregError, attempts: int) -> None:
        DregError.__init__(self, last, attempts)
        self.last, self.attempts = last, attempts
        self.reason, self.where = str(last), ""

    def _sentence(self) -> str:
        return f"{self.last}; given up after {self.attempts} attempts"


# --- where it would lead


class UnsafeURLError(DregError):
    """A registry points to a place where we do not go. Nothing was sent there.

    Attributes:
        where: Who points: a URL without its query.
        target: Where it points to, without its query.
        reason: Why we do not go, and what to do.
    """

    where: str
    target: str
    reason: str

    def __init__(self, where: str, target: str, reason: str) -> None:
        super().__init__(where, target, reason)
        self.where, self.target, self.reason = where, target, reason

    def _sentence(self) -> str:
        return f"{self.where} points to {self.target}: {self.reason}"


class InsecureDowngradeError(UnsafeURLError):
    """From https to http, or a password over plain http."""


class CrossOriginError(UnsafeURLError):
    """To another host, where only the registry's own will do."""


class BlockedAddressError(UnsafeURLError):
    """From a public place to a private one: this machine, a private network, a cloud's metadata."""
