"""Token servers with a scope of their own (AUT-50), and what callers' objects and paths may be (AUT-52, AUT-53)."""

import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Credential, Credentials, errors
from tests.faultserver import Network
from tests.hostile.proof import AUTH, BASIC, WHO, bearer, password_registry_at, token_server_at, wanting
from tests.hostile.registry import registry_at
from tests.hostile.secrets import PASSWORD, TOKEN
from tests.hostile.ways import Way, refused

GREEDY = ["scope=repository:other:push", "SCOPE=x", "a=b&scope=x", "a=b;scope=x", "sc%6fpe=x", "service=evil", "scope"]


@pytest.mark.parametrize("query", GREEDY)
@pytest.mark.parametrize("known", [True, False], ids=["with a password", "anonymous"])
def test_aut_50_a_token_server_s_url_has_no_scope_of_its_own(way: Way, net: Network, query: str, known: bool) -> None:
    registry = wanting(registry_at(net), bearer(f"{AUTH}?{query}"), f"Bearer {TOKEN}")
    auth = token_server_at(net)
    way.credentials = WHO if known else None

    refused(way.tags(), errors.ChallengeError)
    assert auth.connections == 0
    assert registry.secrets == []


@pytest.mark.parametrize("query", ["", "?", "?account=ada", "?myscope=x&service_id=1"])
def test_aut_50_other_parameters_are_kept(way: Way, net: Network, query: str) -> None:
    wanting(registry_at(net), bearer(f"{AUTH}{query}"), f"Bearer {TOKEN}")
    auth = token_server_at(net)
    way.credentials = WHO

    assert way.tags().error is None
    assert auth.requests[0].target.startswith(f"/token?{query.strip('?')}")


class Source:
    """An object that finds credentials."""

    def __init__(self, found: Any) -> None:
        self._found = found

    def find(self, registry: str, repository: str = "") -> Any:
        return self._found


@pytest.mark.parametrize("found", [WHO, PASSWORD, 7, {"password": PASSWORD}, object], ids=lambda it: type(it).__name__)
def test_aut_52_what_is_no_credential_is_an_error_of_ours(library_way: Way, net: Network, found: Any) -> None:
    registry = password_registry_at(net)
    library_way.options["credentials"] = Source(found)

    assert "credentials.find" in refused(library_way.tags(), errors.CredentialError).text
    assert registry.secrets == []


def test_aut_52_a_credential_or_none_will_do(library_way: Way, net: Network) -> None:
    registry = password_registry_at(net)
    library_way.options["credentials"] = Source(Credential(*WHO))
    assert library_way.tags().error is None
    assert registry.secrets == [BASIC]

    library_way.options["credentials"] = Source(None)
    refused(library_way.tags(), errors.UnauthorizedError)


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "/\0"], ids=ascii)
def test_aut_53_a_path_that_no_file_can_have_is_an_error_of_ours(library_way: Way, net: Network, path: str) -> None:
    password_registry_at(net)
    library_way.options["credentials"] = Credentials(path)

    assert "not a valid path" in refused(library_way.tags(), errors.ConfigError).text


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_aut_55_a_file_that_becomes_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """It is replaced at the worst moment: after all checks of its name, when it is being opened."""
    path, pipe = tmp_path / "config.json", tmp_path / "pipe"
    path.write_text("{}")
    path.chmod(0o600)
    os.mkfifo(pipe)

    def swap(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and arguments[0] in {path, str(path)} and pipe.exists():
            pipe.replace(path)

    sys.addaudithook(swap)  # it stays, but there is no pipe any more
    outcomes: list[str] = []
    reading = threading.Thread(target=lambda: outcomes.append(_outcome(path)), daemon=True)
    reading.start()
    reading.join(20)
    assert outcomes == ["not a regular file"], "it waits for a writer of the pipe"


def _outcome(path: Path) -> str:
    try:
        return "nothing" if Credentials(path).find("registry.test").credential is None else "something"
    except errors.ConfigError as failure:
        return "not a regular file" if "not a regular file" in str(failure) else str(failure)


@pytest.mark.parametrize("variable", ["HOME", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "REGISTRY_AUTH_FILE"])
def test_aut_53_nor_do_variables_name_one(variable: str) -> None:
    with pytest.raises(errors.ConfigError, match="not a valid path"):
        Credentials(environment={"XDG_RUNTIME_DIR": "/none", variable: "/a\0b"}).find("registry.test")
