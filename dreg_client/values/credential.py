"""Credentials: who we are to one registry. No text form of one shows a secret."""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from dreg_client.errors import CredentialError

_UNSENDABLE: Final = re.compile(r"[\x00-\x1f\x7f]")
_TOKEN: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)


def is_sendable(token: str) -> bool:
    """Whether a token can stand in a header: printable ASCII characters without white space."""
    return _TOKEN.fullmatch(token) is not None


@dataclass(frozen=True, slots=True)
class Credential:
    """A user and a password, or a token: one of the three.

    Attributes:
        username: The user.
        password: The password, or whatever the registry takes for one.
        identity_token: What a token server gives tokens for (OAuth 2: a refresh token), None without one.
        registry_token: What the registry itself takes, sent as it is, None without one.
        source: Where it was found, for people: a file, a helper.

    Raises:
        CredentialError: A part has control characters, or the user has a colon: it cannot be sent.

    Examples:
        >>> Credential("ada", "s3cr3t")
        Credential('ada', source='')
    """

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str | None = field(default=None, repr=False)
    registry_token: str | None = field(default=None, repr=False)
    source: str = ""
    key: str = field(default_factory=lambda: uuid4().hex, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = (self.username, self.password, self.identity_token or "", self.registry_token or "")
        if any(map(_UNSENDABLE.search, parts)):
            message = f"a credential{self._found} has control characters, which cannot be sent"
            raise CredentialError(message)
        if ":" in self.username:
            message = f"a credential{self._found} has a user name with a colon, which cannot be sent"
            raise CredentialError(message)

    @property
    def _found(self) -> str:
        return f" ({self.source})" if self.source else ""

    @property
    def basic(self) -> str:
        """What stands in `Authorization` for the user and password (RFC 7617)."""
        return "Basic " + b64encode(f"{self.username}:{self.password}".encode()).decode()

    def __repr__(self) -> str:
        return f"Credential({self.username!r}, source={self.source!r})"
