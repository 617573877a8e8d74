"""Credentials for a registry. Their `repr` and `str` never contain a secret."""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from dreg_client.errors import CredentialError

_UNSENDABLE: Final = re.compile(r"[\x00-\x1f\x7f]")
_IN_A_PASSWORD: Final = str.maketrans("", "", "\n\t")
"""A password may be JSON with line breaks (`_json_key` of Google). That is safe because it is only sent as base64."""
_TOKEN: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)


def is_sendable(token: str) -> bool:
    """Return whether a token can be sent in a header: printable ASCII characters without white space."""
    return _TOKEN.fullmatch(token) is not None


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name and a password, or an identity token, or a registry token.

    Attributes:
        username: The user name.
        password: The password, or an access token that the registry accepts as a password.
        identity_token: The OAuth 2 refresh token, which a token server exchanges for access tokens; or None.
        registry_token: The bearer token that is sent to the registry unchanged, or None.
        source: The file or helper that the credential comes from, for messages.

    Raises:
        CredentialError: The credential cannot be sent: the user name contains a colon, or a part contains control
            characters (except line feeds and tabs in the password) or invalid Unicode.

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
        password = self.password.translate(_IN_A_PASSWORD)
        text = "".join((self.username, password, self.identity_token or "", self.registry_token or ""))
        fault = "a user name with a colon" if ":" in self.username else ""
        if _UNSENDABLE.search(text):
            fault = "control characters"
        elif any("\ud800" <= character <= "\udfff" for character in text):
            fault = "characters that are not valid Unicode"
        if fault:
            found = f" ({self.source})" if self.source else ""
            message = f"a credential{found} has {fault}, which cannot be sent"
            raise CredentialError(message)

    @property
    def basic(self) -> str:
        """The `Authorization` header for the user name and password (RFC 7617)."""
        return "Basic " + b64encode(f"{self.username}:{self.password}".encode()).decode()

    def __repr__(self) -> str:
        return f"Credential({self.username!r}, source={self.source!r})"
