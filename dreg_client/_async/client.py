"""The client of one registry: attempts around authorization around redirects around one HTTP request.

What is decided (whether to try again, where a redirect may lead, what answers a challenge) is decided in `protocol`.
"""

from dreg_client._async.authenticator import AsyncAuthenticator
from dreg_client._async.hop_sender import AsyncAnswer, AsyncHopSender
from dreg_client._async.response_body import AsyncBody
from dreg_client._async.transport import AsyncTransport
from dreg_client.protocol.events import Event
from dreg_client.protocol.manifests import Capabilities
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL


class AsyncClient:
    """The client of one registry, shared by its repositories and by any number of tasks.

    Args:
        registry: The registry.
        options: The options.
        transport: What sends HTTP requests; None for what the options say: the caller's transport, or our own pool.

    Attributes:
        registry: The registry.
        connections: The most connections to one host.
        capabilities: What the registry has turned out to support.

    Raises:
        ConfigError: A mirror, a certificate or a proxy cannot be used.
    """

    registry: RegistryURL
    connections: int
    capabilities: Capabilities

    def __init__(self, registry: RegistryURL, options: Options, transport: AsyncTransport | None = None) -> None:
        self.registry, self.connections, self.capabilities = registry, options.connections, Capabilities()

    async def send(self, request: Request) -> Response:
        """Send a request to the registry, or to one of its mirrors, and read the whole response.

        Raises:
            TransportError: No response came, also after all attempts.
            RateLimitedError: The registry asks for a longer wait than `max_retry_after`.
            ResponseTooLargeError: The response is longer than `request.limit`.
            UnsafeURLError: A redirect or a challenge leads where requests are not sent.
            AuthError: The challenge of the registry cannot be answered.
            ClosedError: The client is closed.
        """

    async def stream(self, request: Request) -> tuple[Response, AsyncBody | None]:
        """Send a request (see `send`), and leave the body of a successful response to be read.

        Returns:
            The response, and its body, which must be closed; None if the response is not successful: then its body,
            as far as it is needed, is in the response.
        """

    def tell(self, event: Event) -> None:
        """Hand an event to `on_event`."""

    async def aclose(self) -> None:
        """Close all connections. Requests fail from now on."""
