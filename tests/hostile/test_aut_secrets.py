"""Secrets show up nowhere, whatever fails: AUT-25. The watch over this room hears all loggers, errors, and output."""

import asyncio
import pickle
import traceback
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dreg_client import AsyncRegistry, Credential, Credentials, Registry, errors
from dreg_client.protocol.events import Event
from tests.faultserver import END, RESET, Heard, Network, Piece, answer, challenge, head, redirect, refusal
from tests.hostile.proof import (
    BASIC,
    WHO,
    bearer,
    entry,
    given,
    home_of,
    identity,
    kept,
    password_registry_at,
    token_registry_at,
    token_server_at,
)
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, TAGS, registry_at
from tests.hostile.secrets import PASSWORD, REFRESH, SIGNED, TOKEN, USER, Watch
from tests.hostile.ways import Way, refused

QUERIES = [f"X-Amz-Signature={SIGNED}", f"sig={SIGNED}", f"token={SIGNED}&x=1"]


def repeating(heard: Heard) -> Piece:
    """A refusal that repeats all that it was sent."""
    return refusal(403, "DENIED", heard.raw.decode("latin-1"), f"X-Said: {heard.target}", f"Location: {heard.target}")


ENDS: dict[str, tuple[Any, ...]] = {
    "it comes": (answer(LAYER),),
    "denied": (refusal(403),),
    "denied, repeating it": (repeating,),
    "not found": (answer(b"<Error/>", 404),),
    "failed": (answer(b"", 500),),
    "too many": (answer(b"", 429, "Retry-After: 1000"),),
    "torn off": (RESET,),
    "closed": (END,),
    "cut short": ((answer(LAYER[:50], length=len(LAYER)), END),),
    "other bytes": (answer(LAYER[:-1] + b"!"),),
    "no HTTP": ((f"canary {SIGNED}\r\n\r\n".encode(), END),),
    "broken headers": ((head(200, f"Bad Header: {SIGNED}"), END),),
    "a wrong range": (answer(LAYER, 206, f"Content-Range: bytes 7-{SIGNED}/9"),),
    "over http": (redirect(f"http://cdn.test/layer?sig={SIGNED}"),),
    "to this machine": (redirect(f"https://127.0.0.1/layer?sig={SIGNED}"),),
    "with a password": (redirect(f"https://ada:{PASSWORD}@cdn.test/layer?sig={SIGNED}"),),
    "to no host": (redirect(f"https://nowhere.test/layer?sig={SIGNED}"),),
    "to no URL": (redirect(f"https://[cdn/layer?sig={SIGNED}"),),
    "to a fragment": (redirect(f"https://127.0.0.1/layer#{SIGNED}"),),
    "in a circle": (redirect(f"/layer?sig={SIGNED}"),),
    "to a long URL": (redirect(f"https://cdn.test/layer?sig={SIGNED}" + "x" * 9000),),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_aut_25_a_signed_url_is_nowhere_told_however_it_ends(
    library_way: Way, net: Network, tmp_path: Path, watch: Watch, end: tuple[Any, ...]
) -> None:
    events: list[Event] = []
    registry_at(net).on(BLOB, challenge("Basic"), redirect(f"https://cdn.test/layer?{QUERIES[0]}"))
    cdn = net.host("cdn.test").on("/layer", *end)
    library_way.credentials, library_way.options = WHO, {"on_event": events.append}

    outcome = library_way.blob(LAYER_DIGEST, tmp_path / "layer")
    watch.see(outcome)
    watch.see(events)
    assert events
    assert cdn.secrets == []
    if outcome.error is not None:
        watch.see(pickle.dumps(outcome.error))
        watch.see(pickle.loads(pickle.dumps(outcome.error)))
    assert any("signature" in heard.target for heard in cdn.requests), "or there was nothing to be told"


@pytest.mark.parametrize(
    ("query", "end"), list(zip(QUERIES, ["denied, repeating it", "cut short", "to this machine"], strict=True))
)
def test_aut_25_also_by_the_command_line(way: Way, net: Network, tmp_path: Path, query: str, end: str) -> None:
    registry_at(net).on(BLOB, challenge("Basic"), redirect(f"https://cdn.test/layer?{query}"))
    net.host("cdn.test").on("/layer", *ENDS[end])
    way.credentials = WHO

    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.DregError)


@pytest.mark.parametrize("http", ["httpx", "httpx2"])
@pytest.mark.parametrize("end", ["it comes", "denied, repeating it", "broken headers", "torn off"])
def test_aut_25_neither_http_library_tells_it(
    library_way: Way, net: Network, tmp_path: Path, http: str, end: str
) -> None:
    token_registry_at(net).on(BLOB, challenge(bearer()), redirect(f"https://cdn.test/layer?{QUERIES[1]}"))
    token_server_at(net)
    net.host("cdn.test").on("/layer", *ENDS[end])
    library_way.credentials, library_way.options = WHO, {"http": http}

    outcome = library_way.blob(LAYER_DIGEST, tmp_path / "layer")
    assert (outcome.kind is None) == (end == "it comes")


TOKEN_ENDS: dict[str, Any] = {
    "a token": given(refresh_token=REFRESH),
    "refused": repeating,
    "failed": answer(f"{PASSWORD} {REFRESH}".encode(), 500),
    "torn off": RESET,
    "no JSON": answer(f"{TOKEN} {REFRESH}".encode()),
    "elsewhere": redirect(f"https://127.0.0.1/token?refresh_token={REFRESH}"),
    "broken headers": (head(200, f"Bad Header: {REFRESH}"), END),
}


@pytest.mark.parametrize("who", [Credential(*WHO), Credential(identity_token=REFRESH)], ids=["password", "identity"])
@pytest.mark.parametrize("end", TOKEN_ENDS.values(), ids=TOKEN_ENDS)
def test_aut_25_nor_what_a_token_server_is_told_and_tells(
    library_way: Way, net: Network, watch: Watch, end: Any, who: Credential
) -> None:
    events: list[Event] = []
    token_registry_at(net, f"https://auth.registry.test/token?sig={SIGNED}")
    auth = token_server_at(net, "auth.registry.test", end)
    library_way.options = {"credentials": who, "on_event": events.append}

    watch.see(library_way.tags())
    watch.see(events)
    assert len(auth.requests) == 1
    assert SIGNED in auth.requests[0].target


REPEATED: dict[str, Any] = {
    "in a refusal": lambda heard: refusal(403, "DENIED", heard.header("authorization")),
    "in a refusal, the password": refusal(403, "DENIED", f"no such password: {PASSWORD}"),
    "in a text": lambda heard: answer(heard.raw, 400),
    "in a challenge": lambda heard: challenge(f'Basic realm="{heard.header("authorization")}"'),
    "in a broken challenge": lambda heard: challenge(f'Basic realm="{heard.header("authorization")}'),
}


@pytest.mark.parametrize("said", REPEATED.values(), ids=REPEATED)
def test_aut_25_what_a_registry_repeats_of_a_credential_is_not_told(library_way: Way, net: Network, said: Any) -> None:
    registry = registry_at(net).on(TAGS, challenge("Basic realm=x"), said)
    library_way.credentials = WHO

    refused(library_way.tags(), errors.DregError)
    assert registry.secrets == [BASIC]


STORAGES = {
    "S3": "<Error><Code>SignatureDoesNotMatch</Code><SignatureProvided>{value}</SignatureProvided></Error>",
    "Azure": "<Error><AuthenticationErrorDetail>Request sig = {value}</AuthenticationErrorDetail></Error>",
    "JSON": '{{"errors": [{{"code": "DENIED", "message": "GET /layer?sig={escaped}\\u0026x=1"}}]}}',
}


@pytest.mark.parametrize("text", STORAGES.values(), ids=STORAGES)
def test_aut_25_a_storage_server_that_explains_what_is_wrong_with_a_signature(
    library_way: Way, net: Network, tmp_path: Path, text: str
) -> None:
    value = f"a+b/{SIGNED}="
    said = text.format(value=value, escaped=value.replace("/", "\\/")).encode()
    registry_at(net).on(BLOB, redirect(f"https://cdn.test/layer?sig={quote(value, safe='')}&se=2026-01-01"))
    net.host("cdn.test").on("/layer", answer(said, 403))

    outcome = refused(library_way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.DeniedError)
    assert ("***" in outcome.text) == text.startswith("{{"), "pages and XML are not shown at all"


def everything(registry: Any, credential: Credential) -> list[Any]:
    """All that somebody may print."""
    web = registry.repository("acme/web")
    client = registry._client
    sender, authenticator = client._sender, client._authenticator
    parts = [registry, web, client, sender, sender._transport, authenticator]
    return [*parts, *map(vars, parts), client._options, credential, Credentials.default()]


@pytest.mark.parametrize(
    "who", [Credential(*WHO), Credential(identity_token=REFRESH), Credential(registry_token=TOKEN)]
)
def test_aut_25_no_object_s_text_has_a_secret(net: Network, watch: Watch, who: Credential) -> None:
    token_registry_at(net)
    token_server_at(net)
    options: dict[str, Any] = {"ca_file": str(net.ca_file), "credentials": who}
    proxy = f"http://ada:{PASSWORD}@proxy.test:3128"

    async def as_task() -> None:
        async with AsyncRegistry("https://registry.test", **options) as registry:
            await registry.repository("acme/web").tags()
            for one in everything(registry, who):
                watch.see(one)

    with Registry("https://registry.test", **options) as registry:
        registry.repository("acme/web").tags()
        for one in everything(registry, who):
            watch.see(one)
    asyncio.run(as_task())
    with Registry("https://registry.test", proxy=proxy, **options) as registry:
        for one in everything(registry, who):
            watch.see(one)


@pytest.mark.parametrize("chained", [errors.DregError, Exception])
def test_aut_25_a_traceback_with_its_locals_has_no_password_of_a_file(
    net: Network, watch: Watch, chained: type[Exception]
) -> None:
    kept(net, {"auths": {"registry.test": {"identitytoken": f"{REFRESH}\n"}, "x.test": entry()}})
    password_registry_at(net)
    credentials = Credentials(environment=home_of(net))

    with (
        Registry("https://registry.test", ca_file=str(net.ca_file), credentials=credentials) as registry,
        warnings.catch_warnings(),
        pytest.raises(chained) as refusal_of,
    ):
        registry.repository("acme/web").tags()
    watch.heard += traceback.format_exception(refusal_of.value)


def test_aut_25_nor_the_command_line_with_all_that_it_can_say(way: Way, net: Network) -> None:
    kept(net, {"auths": {"registry.test": {**identity(), **entry()}}})
    token_registry_at(net)
    token_server_at(net, "auth.registry.test", given(), answer(REFRESH.encode(), 403))
    way.environment, way.options = home_of(net), {"credentials": Credentials.default()}

    assert way.tags().kind is None
    refused(way.tags(), errors.UnauthorizedError)
    assert net.hosts["auth.registry.test"].secrets == []
    assert all(REFRESH.encode() in heard.body for heard in net.hosts["auth.registry.test"].requests)


def test_aut_25_logging_in_tells_nothing(net: Network) -> None:
    way = Way("command line", net, credentials=WHO, environment=home_of(net))
    registry = password_registry_at(net)

    assert way.command("login", "registry.test").kind is None
    way.credentials = (USER, REFRESH)
    refused(way.command("login", "registry.test"), errors.UnauthorizedError)
    assert registry.secrets[0] == BASIC
    assert not {PASSWORD, REFRESH} & set(way.said.split())
    assert PASSWORD not in way.said
    assert REFRESH not in way.said
