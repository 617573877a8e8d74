"""Token servers with a scope of their own (AUT-50), and what callers' objects and paths may be (AUT-52, AUT-53)."""

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


@pytest.mark.parametrize("variable", ["HOME", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "REGISTRY_AUTH_FILE"])
def test_aut_53_nor_do_variables_name_one(variable: str) -> None:
    with pytest.raises(errors.ConfigError, match="not a valid path"):
        Credentials(environment={"XDG_RUNTIME_DIR": "/none", variable: "/a\0b"}).find("registry.test")
