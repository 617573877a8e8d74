"""What the environment gets wrong is one line that names the variable or option, never its content, and exit code 2."""

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]
CANARY = "canary-7f3a"

WRONG = {
    "a password with a hash": ("HTTPS_PROXY", f"http://ada:{CANARY}#x@proxy.test:3128"),
    "a password behind a slash": ("https_proxy", f"http://ada:12/{CANARY}@proxy.test:3128"),
    "a port that is none": ("ALL_PROXY", f"http://proxy.test:{CANARY}"),
    "bytes that are no text": ("HTTPS_PROXY", f"http://ada:{CANARY}\udcff@proxy.test:3128"),
    "a proxy of another kind": ("all_proxy", f"socks4://{CANARY}@proxy.test"),
    "keys that cannot be written": ("SSLKEYLOGFILE", f"/{CANARY}/keys"),
    "authorities that are not there": ("SSL_CERT_FILE", f"/{CANARY}.pem"),
    "a folder of authorities that is not there": ("SSL_CERT_DIR", f"/{CANARY}"),
}


@pytest.mark.parametrize(("variable", "value"), WRONG.values(), ids=WRONG)
def test_a_variable_that_is_wrong_is_named_without_its_content(dreg: Run, variable: str, value: str) -> None:
    told = dreg("tags", "registry.test/acme/web", env={variable: value})

    assert (told.code, told.out) == (2, "")
    assert told.err.startswith(f"dreg: {variable}")
    assert told.err.count("\n") == 1
    assert CANARY not in told.err
    assert CANARY not in dreg("--debug", "tags", "registry.test/acme/web", env={variable: value}).err


@pytest.mark.parametrize(
    "secret", [b"\xff\xfe", b"x" * 65_537, b"", b"\n", b"a\nb"], ids=["bytes", "long", "empty", "a line", "two"]
)
@pytest.mark.parametrize("option", [["-u", "ada", "--password-stdin"], ["--identity-token-stdin"]])
def test_a_secret_that_is_none_is_a_usage_error(dreg: Run, secret: bytes, option: list[str]) -> None:
    told = dreg("tags", "localhost:1/acme/web", *option, stdin=secret)

    assert told.code == 2
    assert told.err.startswith("dreg: standard input ")


def test_a_key_that_is_json_may_have_several_lines(dreg: Run) -> None:
    key = b'{\n  "type": "service_account"\n}\n'
    told = dreg("tags", "localhost:1/acme/web", "-u", "_json_key", "--password-stdin", "--retries", "0", stdin=key)

    assert told.code == 6
    assert "connection refused" in told.err


@pytest.mark.parametrize("host", ["https://auth.test", "auth.test/token", "auth test", "ada@auth.test"])
def test_a_token_server_to_trust_is_a_host(dreg: Run, host: str) -> None:
    told = dreg("tags", "localhost:1/acme/web", "--trust-token-host", host)

    assert told.code == 2
    assert "--trust-token-host: expected HOST or HOST:PORT" in told.err
