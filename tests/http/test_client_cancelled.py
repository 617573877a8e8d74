"""What is cancelled gives back all that it held, and keeps nobody else waiting."""

import threading

from dreg_client.protocol.messages import Request
from dreg_client.protocol.options import FoundCredential, Timeouts
from tests.answering import GET, HELLO, Heard, Registry, registry, with_tokens
from tests.flavours import Flavour


def test_a_request_that_is_cancelled_gives_its_connection_back(flavour: Flavour) -> None:
    def answering(heard: Heard) -> bytes | None:
        if heard.target == "/v2/slow":
            threading.Event().wait(1)
        return HELLO

    async def job(at: Registry) -> int:
        async with flavour.client(at.url, connections=2, timeout=Timeouts(pool=0.5)) as client:

            async def one() -> None:
                await client.send(Request("GET", "/v2/slow"))

            for number in (2, 4):
                await flavour.all([one] * 5, until=lambda number=number: len(at.heard) >= number)
            return (await client.send(GET)).status  # type: ignore[no-any-return]

    with registry(answering) as at:
        assert flavour.run(lambda: job(at)) == 200


def test_a_cancelled_request_for_a_token_does_not_keep_others_waiting(flavour: Flavour) -> None:
    slow = threading.Event()

    def answering(heard: Heard) -> bytes:
        if heard.target.startswith("/token") and not slow.is_set():
            slow.wait(1)
        return with_tokens(heard)

    async def job(at: Registry) -> int:
        async with flavour.client(at.url) as client:

            async def one() -> None:
                await client.send(GET)

            await flavour.all([one] * 3, until=lambda: any(target.startswith("GET /token") for target in at.targets))
            slow.set()
            return (await client.send(GET)).status  # type: ignore[no-any-return]

    with registry(answering) as at:
        assert flavour.run(lambda: job(at)) == 200


def test_a_cancelled_look_up_is_told_so(flavour: Flavour) -> None:
    from dreg_client.credentials.cancellation import is_cancelled

    begun, ended = threading.Event(), threading.Event()

    class Source:
        def find(self, registry: str, repository: str = "") -> FoundCredential:
            begun.set()
            for _ in range(500):
                if is_cancelled():
                    ended.set()
                    break
                threading.Event().wait(0.01)
            return FoundCredential()

    async def job(at: Registry) -> None:
        async with flavour.client(at.url, credentials=Source()) as client:

            async def one() -> None:
                await client.send(GET)

            await flavour.all([one], until=begun.is_set)

    with registry(with_tokens) as at:
        flavour.run(lambda: job(at))

    assert ended.wait(2)
