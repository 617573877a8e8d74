"""CVE-2020-5260, CVE-2020-11008, CVE-2024-52006, CVE-2024-50338: git, Git Credential Manager

A line feed or carriage return in a URL became a separate line in the input of a credential helper, which then returned
the credential of another host.

Text with control characters is never passed to a helper. Helpers must respond in JSON, and the response is used
only for the requested host.

AUT-17, AUT-19
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from dreg_client import Registry, errors
from dreg_client.credentials import program
from tests.advisories.scenes import fails


@pytest.mark.parametrize(
    "server", ["evil.test\nhost=registry.test", "evil.test\rregistry.test", "evil.test\0", "a\x7fb"]
)
def test_a_server_with_control_characters_is_told_to_no_helper(
    home: Path, helper: Callable[..., None], server: str
) -> None:
    helper("keeper", {"ServerURL": "registry.test", "Username": "ada", "Secret": "x"})

    fails(errors.CredentialError, lambda: program.get("keeper", server))
    assert not (home / "verbs").exists()
    fails(errors.InvalidReferenceError, lambda: Registry(f"https://{server}"))


@pytest.mark.parametrize("answer", ["username=ada\npassword=x", "", "[]", '{"Username": "ada"}'])
def test_an_answer_is_a_json_object_with_all_that_it_needs(
    home: Path, helper: Callable[..., None], answer: str
) -> None:
    helper("keeper", answer)

    fails(errors.CredentialHelperError, lambda: program.get("keeper", "registry.test"))


def test_an_answer_for_another_host_is_not_used(home: Path, helper: Callable[..., None]) -> None:
    helper("keeper", {"ServerURL": "https://registry.test", "Username": "ada", "Secret": "x"})

    fails(errors.CredentialError, lambda: program.get("keeper", "evil.test"))
    assert (home / "asked-keeper").read_text() == "evil.test\n"
