"""What the error of a refusal advises: it depends on who we were when we asked."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Credential, Credentials, errors
from tests.doors import Door, repository
from tests.http.documents import refusal, served

ADA = Credential("ada", "s3cr3t-canary")
BEARER = 'Bearer realm="https://registry.example/token",service="x"'


class Service:
    def request_token(self, scope: str) -> str:
        return "tok-canary"


def refused(door: Door, status: int = 401, challenge: str = 'Basic realm="x"', **options: Any) -> str:
    """The sentence of the error where a registry refuses, and its token server gives a token that is refused."""

    def registry(request: Any) -> Any:
        if request.url.path == "/token":
            return served(json.dumps({"token": "tok-canary"}).encode(), "application/json")
        if status == 401 or not request.headers.get("authorization"):
            return refusal(401, "UNAUTHORIZED", **({"WWW-Authenticate": challenge} if challenge else {}))
        return refusal(status, "DENIED")

    with pytest.raises(errors.UnauthorizedError) as failure:
        door.run(registry, lambda registry: repository(registry).get_manifest("1.4"), **options)
    assert "canary" not in str(failure.value)
    assert failure.value.status == status
    return str(failure.value)


@pytest.mark.parametrize("challenge", ['Basic realm="x"', BEARER])
def test_whoever_asked_anonymously_is_told_how_to_give_a_credential(door: Door, challenge: str) -> None:
    said = refused(door, challenge=challenge)

    assert "anonymous, because credentials= was not given" in said
    assert "credentials=(user, password)" in said
    assert "dreg login registry.example" in said


@pytest.mark.parametrize("challenge", ['Basic realm="x"', BEARER])
def test_a_user_who_is_refused_is_named(door: Door, challenge: str) -> None:
    said = refused(door, challenge=challenge, credentials=ADA)

    assert "the user 'ada' was rejected; check the password" in said
    assert "anonymously" not in said


def test_a_user_who_may_not_is_not_told_to_log_in(door: Door) -> None:
    said = refused(door, 403, credentials=ADA)

    assert "the user 'ada' lacks permission; ask the repository's owner" in said
    assert "dreg login" not in said


def test_a_token_that_nobody_can_show_by_a_password_is_not_called_refused(door: Door) -> None:
    said = refused(door, credentials=Credential(identity_token="identity-canary"))  # noqa: S106 (a canary)

    assert "the identity token was not used" in said


def test_where_a_credential_was_looked_for_is_said(door: Door, tmp_path: Path) -> None:
    file = tmp_path / "auth.json"
    file.write_text('{"auths": {"other.example": {"auth": "YWRhOnB3"}}}')
    file.chmod(0o600)

    assert f"no credential for registry.example found in {file}; log in with" in refused(
        door, credentials=Credentials(file)
    )


def test_where_there_are_no_files_their_places_are_said(door: Door, tmp_path: Path) -> None:
    nowhere = Credentials(environment={"HOME": str(tmp_path)})

    assert f"{tmp_path}/.docker/config.json (does not exist)" in refused(door, credentials=nowhere)


def test_the_token_of_a_service_of_the_caller_s_own_was_refused(door: Door) -> None:
    said = refused(door, challenge=BEARER, auth_service=Service())

    assert "the token from auth_service was rejected (scope: repository:acme/web:pull)" in said
    assert "dreg login" not in said


def test_a_registry_that_does_not_ask_is_not_said_to_have_refused_anybody(door: Door, tmp_path: Path) -> None:
    nowhere = Credentials(environment={"HOME": str(tmp_path)})

    assert "no credential for registry.example found in" in refused(door, challenge="", credentials=nowhere)
    assert "'ada' was not used" in refused(door, challenge="", credentials=ADA)


def test_what_another_host_refuses_is_no_matter_of_our_credential(door: Door) -> None:
    def registry(request: Any) -> Any:
        if request.url.host == "cdn.test":
            return refusal(403, "EXPIRED")
        return 307, {"Location": "https://cdn.test/x?signature=canary"}, b""

    with pytest.raises(errors.DeniedError, match=r"https://cdn\.test/x; credentials are not sent there") as failure:
        door.run(registry, lambda registry: repository(registry).get_manifest("1.4"), credentials=ADA)
    assert "canary" not in str(failure.value)


def test_a_token_server_that_is_down_is_told_apart_from_its_registry(door: Door) -> None:
    def handler(request: Any) -> tuple[int, dict[str, str], bytes]:
        if request.url.host == "auth.registry.example":
            raise import_module(door.library).ConnectError("no")
        return 401, {"WWW-Authenticate": 'Bearer realm="https://auth.registry.example/token"'}, b""

    with pytest.raises(errors.ConnectError, match=r"auth.*: the token server of registry\.example: cannot connect"):
        door.run(handler, lambda registry: registry.ping())
