"""A proxy's URL that cannot be parsed is a mistake of whoever wrote it, and shows nothing of its password (TRN-44)."""

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dreg_client import errors
from dreg_client.protocol.proxies import Proxy
from tests.faultserver import Network
from tests.hostile.registry import registry_at
from tests.hostile.secrets import PASSWORD
from tests.hostile.ways import Way, refused

VARIABLES = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
WRONG = [
    f"http://ada:{PASSWORD}#x@proxy.test:3128",
    f"http://ada:12#{PASSWORD}@proxy.test:3128",
    f"http://ada:{PASSWORD}/x@proxy.test",
    f"http://ada:{PASSWORD}?x@proxy.test",
    f"http:/ada:{PASSWORD}@proxy.test",
    f"//ada:{PASSWORD}@proxy.test",
    f"http//ada:{PASSWORD}@proxy.test",
    f"htp://ada:{PASSWORD}@proxy.test",
    f"{PASSWORD}://proxy.test",
    f"http://ada:{PASSWORD}@proxy.test:port",
    f"http://ada:{PASSWORD}@proxy.test:99999",
    f"http://ada:{PASSWORD}@proxy.test:0",
    f"http://ada:{PASSWORD}@[::1:3128",
    f"http://ada:{PASSWORD}@[::x]:3128",
    f"http://ada:{PASSWORD}@::1]",
    f"http://ada:{PASSWORD}@pro xy.test",
    f"http://ada:{PASSWORD}@pr\u00f6xy.test",
    f"http://ada:{PASSWORD}@proxy\u2100.test",
    f"http://ada:{PASSWORD}@",
    f"http://ada:{PASSWORD}",
    f"ada:{PASSWORD}",
    f"http://ada:{PASSWORD}\x1b[2J@proxy.test",
    f"http://ada:{PASSWORD}\n@proxy.test",
    f"http://ada:{PASSWORD}%ff@proxy.test",
    f"http://ada:{PASSWORD}\udcff@proxy.test",
    f"socks5://ada:{PASSWORD}{'x' * 256}@proxy.test",
    f"socks4://ada:{PASSWORD}@proxy.test",
    f"http://ada:{PASSWORD}@a..b\\c",
]
NO_HOST = ["a..b", f"{'x' * 64}.test", "-", "xn--", "xn--a", "1.2.3.4.5", "256.1.1.1", "[::1%25lo]", "_"]


def _nothing_shown(text: str) -> None:
    longest = len("password")  # a word that messages have, too
    parts = {PASSWORD[start : start + longest + 1] for start in range(len(PASSWORD) - longest)}
    assert not [part for part in parts if part in text]


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_trn_44_no_part_of_a_password_is_shown(library_way: Way, net: Network, text: str) -> None:
    registry = registry_at(net)
    for variable in VARIABLES:
        library_way.environment = {variable: text}
        failed = refused(library_way.tags(), errors.ConfigError)
        assert failed.text.startswith(f"{variable}: ")
        _nothing_shown(f"{failed.text} {failed.error!r} {failed.error.__cause__} {failed.error.__context__}")  # type: ignore[union-attr]
    library_way.environment, library_way.options["proxy"] = {}, text
    failed = refused(library_way.tags(), errors.ConfigError)
    assert failed.text.startswith("proxy=: ")
    _nothing_shown(failed.text)
    assert registry.connections == 0


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_trn_44_the_command_line_exits_with_2(net: Network, text: str) -> None:
    registry, way = registry_at(net), Way("command line", net)
    way.environment = {"HTTPS_PROXY": text}

    outcome = refused(way.tags(), errors.ConfigError)
    assert outcome.exit_code == 2
    assert "HTTPS_PROXY: " in outcome.text
    _nothing_shown(outcome.text)
    assert registry.connections == 0


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", *VARIABLES[1:]])
def test_trn_44_whatever_the_variable_is(net: Network, variable: str) -> None:
    way = Way("command line", net)
    way.environment = {variable: WRONG[0]}
    way.registry = "http://registry.test" if variable.lower() == "http_proxy" else "registry.test"

    for outcome in (way.tags(), way.ping(), way.resolve("1.4")):
        assert outcome.exit_code == 2
        assert f"{variable}: " in outcome.text
        _nothing_shown(outcome.text)


@pytest.mark.parametrize("entry", ["10.0.0.0/99", "fd00::/x", "10.0.0.0/-1"])
def test_trn_44_nor_may_no_proxy_be_wrong(net: Network, entry: str) -> None:
    way = Way("command line", net)
    way.environment = {"HTTPS_PROXY": f"http://ada:{PASSWORD}@proxy.test", "NO_PROXY": entry}

    outcome = refused(way.tags(), errors.ConfigError)
    assert outcome.exit_code == 2
    _nothing_shown(outcome.text)


@pytest.mark.parametrize("host", NO_HOST)
def test_trn_44_a_proxy_that_no_host_can_be_is_an_error_of_ours(way: Way, net: Network, host: str) -> None:
    way.environment = {"HTTPS_PROXY": f"http://ada:{PASSWORD}@{host}:3128"}

    outcome = refused(way.tags(), errors.ConfigError, errors.ConnectError)
    assert outcome.exit_code in {0, 2, 6}
    _nothing_shown(outcome.text)


@given(st.text(max_size=80) | st.builds("{}://{}:{}@{}".format, st.text(max_size=8), *[st.text(max_size=20)] * 3))
@example(os.fsdecode(b"http://a:\xff@b"))
def test_trn_44_no_text_of_any_kind_is_anything_but_a_proxy_or_a_mistake(text: str) -> None:
    said = ""
    try:
        assert Proxy.parse(text, "HTTPS_PROXY").headers is not None
    except errors.ConfigError as failure:
        said = str(failure)
    assert not said or said in SAID


SAID = {
    "HTTPS_PROXY: a proxy URL must begin with http://, https://, socks5:// or socks5h://",
    "HTTPS_PROXY: not a valid proxy URL; expected SCHEME://[USER:PASSWORD@]HOST[:PORT]",
    "HTTPS_PROXY: the URL has /, ? or # before @; in a user name or password, write %2F, %3F or %23 instead",
}
