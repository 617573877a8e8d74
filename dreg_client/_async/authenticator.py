"""Authentication: answers the challenges of one registry and its mirrors, with passwords or tokens."""

from dreg_client._async.hop_sender import AsyncHopSender
from dreg_client.protocol.hints import Hint
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL


class AsyncAuthenticator:
    """The challenges, credentials and tokens of one client.

    Args:
        options: The options of the client.
        own: The registry that credentials were given for: mirrors never get them.
        sender: Sends requests for tokens.
    """

    def __init__(self, options: Options, own: RegistryURL, sender: AsyncHopSender) -> None: ...

    async def known(self, registry: RegistryURL, request: Request) -> str | None:
        """Return the `Authorization` for a request by an earlier challenge; None if there was none."""

    async def answer(self, registry: RegistryURL, request: Request, response: Response, used: str | None) -> str | None:
        """Return the `Authorization` that answers the challenge of a response; None if there is no other than `used`.

        Raises:
            ChallengeError: The challenge cannot be parsed, or is of an unknown scheme.
            UnsafeURLError: The credential would go where it must not.
            AuthError: There is no token.
        """

    def hint(self, registry: RegistryURL, request: Request, status: int, *, shown: bool) -> Hint:
        """Return what to do about a denied request."""
