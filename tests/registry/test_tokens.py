"""A registry that wants tokens, behind TLS; and one that wants passwords: as threads and as tasks."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dreg_client import AsyncRegistry, Credential, Registry, errors
from tests.registries import PASSWORD, USER, RunningRegistry
from tests.token_server import IDENTITY, TokenServer

ADA = Credential(USER, PASSWORD)
Tokens = tuple[RunningRegistry, TokenServer]


@pytest.fixture
def options(token_registry: Tokens) -> dict[str, Any]:
    token_registry[1].asked.clear()
    return {"ca_file": str(token_registry[0].ca_file), "credentials": ADA}


def test_row_44_reading_asks_for_reading_and_writing_for_writing(
    token_registry: Tokens, options: dict[str, Any]
) -> None:
    own, tokens = token_registry
    with Registry(own.url, **options) as registry:
        web = registry.repository("acme/web")
        web.tags()
        web.get_image("1.4").get_platform_images()
        assert tokens.asked == ["basic repository:acme/web:pull"]
        web.tag("1.3", "1")
        # The order is that of the registry's own challenge, which is not always the same.
        assert tokens.asked[1:] in ([f"basic repository:acme/web:{both}"] for both in ("pull,push", "push,pull"))
        registry.namespaces()
        assert tokens.asked[2:] == ["basic registry:catalog:*"]


def test_nobody_reads_what_is_public_and_nothing_else(token_registry: Tokens, options: dict[str, Any]) -> None:
    own, tokens = token_registry
    with Registry(own.url, ca_file=options["ca_file"]) as registry:
        assert registry.repository("public/web").tags() == ("1",)
        with pytest.raises(errors.UnauthorizedError, match="dreg login"):
            registry.repository("acme/web").tags()
    assert all(asked.startswith("nobody") for asked in tokens.asked)


def test_an_identity_token_and_a_wrong_password(token_registry: Tokens, options: dict[str, Any]) -> None:
    own, _ = token_registry
    with Registry(own.url, **options | {"credentials": Credential(identity_token=IDENTITY)}) as registry:
        assert "1.4" in registry.repository("acme/web").tags()
    wrong = options | {"credentials": Credential(USER, "wrong")}
    with (
        Registry(own.url, **wrong) as registry,
        pytest.raises(errors.UnauthorizedError, match=r"the user .* was rejected"),
    ):
        registry.repository("acme/web").tags()


def test_trn_17_trn_18_who_signs_itself_is_nobody(token_registry: Tokens, options: dict[str, Any]) -> None:
    own, _ = token_registry
    with Registry(own.url) as registry, pytest.raises(errors.TLSError, match="ca_file"):
        registry.ping()
    # The token server is another origin: its certificate is still checked.
    with Registry(own.url, insecure=True, credentials=ADA) as registry, pytest.raises(errors.TLSError):
        registry.repository("acme/web").tags()
    with pytest.raises(errors.ConfigError, match="no-such-file"), Registry(own.url, ca_file="no-such-file") as registry:
        registry.ping()
    with Registry(own.url.replace("https", "http"), retries=0) as registry, pytest.raises(errors.DregError):
        registry.ping()


def test_aut_14_32_threads_ask_for_one_token(token_registry: Tokens, options: dict[str, Any]) -> None:
    own, tokens = token_registry
    with Registry(own.url, **options) as registry, ThreadPoolExecutor(32) as threads:
        web = registry.repository("acme/web")
        digests = list(threads.map(lambda _: web.get_manifest("1.4").digest, range(320)))

    assert len(set(digests)) == 1
    assert tokens.asked == ["basic repository:acme/web:pull"]


def test_aut_14_200_tasks_ask_for_one_token_and_cancelling_some_leaves_the_others(
    token_registry: Tokens, options: dict[str, Any]
) -> None:
    own, tokens = token_registry

    async def main() -> list[Any]:
        async with AsyncRegistry(own.url, **options) as registry:
            web = registry.repository("acme/web")
            tasks = [asyncio.create_task(web.get_manifest("1.4")) for _ in range(200)]
            for number, task in enumerate(tasks[::3]):
                asyncio.get_running_loop().call_later(number / 500, task.cancel)
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            # Every connection that a cancelled task held is free again.
            more = await asyncio.gather(*(web.get_manifest("1.3") for _ in range(50)))
            return [*ended, *more]

    ended = asyncio.run(main())
    assert all(isinstance(end, asyncio.CancelledError) or end.digest for end in ended)
    assert sum(not isinstance(end, BaseException) for end in ended) >= 133 + 50
    assert len(tokens.asked) <= 2, "one, and another where the task that asked was cancelled"


def test_passwords(password_registry: RunningRegistry) -> None:
    with Registry.build_with_manual_client(password_registry.url, auth=(USER, PASSWORD)) as registry:
        registry.ping()
        assert "1.4" in registry.repository("acme/web").tags()
    wrong = Credential(USER, "wrong")
    with Registry(password_registry.url, credentials=wrong) as registry, pytest.raises(errors.UnauthorizedError):
        registry.ping()


def test_d_04_what_auth_takes(password_registry: RunningRegistry) -> None:
    import httpx

    class Service:
        def request_token(self, scope: str) -> str:
            return scope

    with pytest.raises(TypeError, match="auth_service"):
        Registry.build_with_manual_client(password_registry.url, auth=httpx.BasicAuth("a", "b"))
    with pytest.raises(ValueError, match="not both"):
        Registry.build_with_manual_client(password_registry.url, auth=("a", "b"), auth_service=Service())
    Registry.build_with_manual_client(password_registry.url, auth=Service()).close()


def test_threads_and_tasks_read_behind_tls(token_registry: Tokens, options: dict[str, Any]) -> None:
    own, _ = token_registry

    async def main() -> tuple[str, ...]:
        async with AsyncRegistry(own.url, **options) as registry:
            return await registry.repository("acme/web").tags()

    with Registry(own.url, **options) as registry:
        assert set(registry.repository("acme/web").tags()) == set(asyncio.run(main())) >= {"1.4"}
