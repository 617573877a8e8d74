"""Lists: where their pages lead, and what stands in them: DLD-22 and DLD-23."""

from collections.abc import Callable

import pytest

from dreg_client import errors
from tests.faultserver import Heard, Network, Piece, answer, redirect, sentence
from tests.hostile.registry import TAGS, registry_at
from tests.hostile.ways import Outcome, Way, refused

JSON = "Content-Type: application/json"


def listed(outcome: Outcome) -> list[str]:
    """The tags that were given."""
    assert outcome.kind is None, outcome.text
    return outcome.value.decode().split() if isinstance(outcome.value, bytes) else list(outcome.value)


def pages(link: str, *more: str) -> Callable[[Heard], Piece]:
    """Two pages of a tag each; the first one has these `Link` headers."""

    def said(heard: Heard) -> Piece:
        second = heard.query.get("page") == ["1"]
        headers = [] if second else [f"Link: {text}" for text in (link, *more)]
        return answer(sentence({"tags": ["b" if second else "a"]}), "200 OK", JSON, *headers)

    return said


NEXT = f"{TAGS}?page=1"
GOOD: dict[str, tuple[str, ...]] = {
    "relative": (f'<{NEXT}>; rel="next"',),
    "absolute": (f'<https://registry.test{NEXT}>; rel="next"',),
    "with its port": (f'<https://registry.test:443{NEXT}>; rel="next"',),
    "another letter case": (f'<HTTPS://REGISTRY.test{NEXT}>; REL="NEXT"',),
    "http of the same host": (f"<http://registry.test{NEXT}>; rel=next",),
    "without rel": (f"<{NEXT}>",),
    "a parameter without a name": (f'<{NEXT}>; rel="next";',),
    "a comma within": (f'<{NEXT}&last=a,b>; title="x, <y>; z"; rel="next"',),
    "several in one": (f'<https://evil.test/>; rel="prev", <{NEXT}>; rel="next last"',),
    "several headers": ('<https://evil.test/>; rel="first"', f'<{NEXT}>; rel="next"'),
}
BAD: dict[str, tuple[str, type[Exception]]] = {
    "another host": (f'<https://evil.test{NEXT}>; rel="next"', errors.CrossOriginError),
    "another port": (f'<https://registry.test:8443{NEXT}>; rel="next"', errors.CrossOriginError),
    "user information": (f'<https://registry.test@evil.test{NEXT}>; rel="next"', errors.ProtocolError),
    "no scheme": (f'<//evil.test{NEXT}>; rel="next"', errors.CrossOriginError),
    "itself": (f'<{TAGS}>; rel="next"', errors.TooManyPagesError),
    "without brackets": (f'{NEXT}; rel="next"', errors.ProtocolError),
    "half a bracket": (f'<{NEXT}; rel="next"', errors.ProtocolError),
    "64 KiB": (f'<{NEXT}&x={"x" * 65000}>; rel="next"', errors.ProtocolError),
    "a file": ('<file:///etc/passwd>; rel="next"', errors.ProtocolError),
}


@pytest.mark.parametrize("links", GOOD.values(), ids=GOOD)
def test_dld_22_pages_are_found_however_they_are_written(
    library_way: Way, net: Network, links: tuple[str, ...]
) -> None:
    evil = net.host("evil.test")
    registry_at(net).on(TAGS, pages(*links))

    assert listed(library_way.tags()) == ["a", "b"]
    assert not evil.connections


@pytest.mark.parametrize(("link", "error"), BAD.values(), ids=BAD)
def test_dld_22_a_page_elsewhere_is_not_asked_for(way: Way, net: Network, link: str, error: type[Exception]) -> None:
    evil, plain = net.host("evil.test"), net.host("registry.test", scheme="http")
    registry = registry_at(net).on(TAGS, pages(link))

    outcome = refused(way.tags(), error)
    assert not outcome.value
    assert len(registry.requests) == 1
    assert not evil.connections
    assert not plain.connections


def test_dld_22_http_of_the_same_host_is_asked_over_https(way: Way, net: Network) -> None:
    plain = net.host("registry.test", scheme="http")
    registry_at(net).on(TAGS, pages(*GOOD["http of the same host"]))

    assert listed(way.tags()) == ["a", "b"]
    assert not plain.connections


def test_dld_22_a_page_that_redirects_elsewhere_takes_nothing_along(way: Way, net: Network) -> None:
    way.credentials = ("ada", "canary-password-7f3a")
    evil = net.host("evil.test").on("/x", answer(sentence({"tags": ["b"]}), "200 OK", JSON))
    registry_at(net).on(TAGS, redirect("https://evil.test/x"))

    way.tags()
    assert not evil.secrets


MIRRORED = f"/v2/mirrored{TAGS.removeprefix('/v2')}"


@pytest.mark.parametrize("link", [f"{MIRRORED}?page=1", "?page=1"], ids=["by its own path", "by the query alone"])
def test_dld_22_a_list_that_another_host_answers_goes_on_at_the_registry(way: Way, net: Network, link: str) -> None:
    mirror = net.host("mirror.test").on(MIRRORED, pages(f'<{link}>; rel="next"'))
    registry = registry_at(net).on(
        TAGS, lambda heard: redirect(f"https://mirror.test{MIRRORED}{heard.target.removeprefix(TAGS)}")
    )

    assert listed(way.tags()) == ["a", "b"]
    assert registry.asked == [f"GET {TAGS}", f"GET {TAGS}?page=1"]
    assert mirror.asked == [f"GET {MIRRORED}", f"GET {MIRRORED}?page=1"]


def test_dld_22_nor_is_the_host_that_answered_asked_at_its_word(library_way: Way, net: Network) -> None:
    mirror = net.host("mirror.test").on(MIRRORED, pages(f'<https://mirror.test{MIRRORED}?page=1>; rel="next"'))
    registry_at(net).on(TAGS, redirect(f"https://mirror.test{MIRRORED}"))

    outcome = refused(library_way.tags(), errors.CrossOriginError)
    assert "registry.test" in outcome.text
    assert "mirror.test" in outcome.text
    assert len(mirror.requests) == 1


def test_dld_22_pages_in_a_circle_end(way: Way, net: Network) -> None:
    def circle(heard: Heard) -> Piece:
        number = int(heard.query.get("page", ["0"])[0])
        link = f'Link: <{TAGS}?page={(number + 1) % 3}>; rel="next"'
        return answer(sentence({"tags": [f"t{number}"]}), "200 OK", JSON, link)

    registry = registry_at(net).on(TAGS, circle)

    refused(way.tags(), errors.TooManyPagesError)
    assert len(registry.requests) == 4


def test_dld_22_a_thousand_pages_are_the_most(library_way: Way, net: Network) -> None:
    def another(heard: Heard) -> Piece:
        number = int(heard.query.get("page", ["0"])[0]) + 1
        return answer(b'{"tags": ["a"]}', "200 OK", JSON, f'Link: <{TAGS}?page={number}>; rel="next"')

    registry = registry_at(net).on(TAGS, another)

    refused(library_way.tags(), errors.TooManyPagesError)
    assert len(registry.requests) == 1000


# --- DLD-23


LISTS: dict[str, tuple[str, list[str]]] = {
    "null": ('{"name": "acme/web", "tags": null}', []),
    "another repository": ('{"name": "evil/other", "tags": ["a"]}', ["a"]),
    "twice": ('{"tags": ["b", "a", "b"]}', ["b", "a"]),
    "illegal": ('{"tags": ["a", "-b", "c d", "../e", "", "sha256:0", null, 7, "b"]}', ["a", "b"]),
}
NO_LISTS = ['{"name": "acme/web"}', '{"tags": "a"}', '{"tags": {"a": 1}}', '{"tags": 1}', "[]", "<html>", '{"tags": [}']


@pytest.mark.parametrize(("body", "found"), LISTS.values(), ids=LISTS)
def test_dld_23_tags_are_those_that_are_tags(
    way: Way, net: Network, body: str, found: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    registry_at(net).on(TAGS, answer(body.encode(), "200 OK", JSON))

    outcome = way.tags()
    assert listed(outcome) == found
    warned = outcome.text + "".join(record.getMessage() for record in caplog.records if record.levelno >= 30)
    assert ("skipping" in warned) == ("-b" in body)


@pytest.mark.parametrize("body", NO_LISTS)
def test_dld_23_what_is_no_list_is_no_empty_one(library_way: Way, net: Network, body: str) -> None:
    registry_at(net).on(TAGS, answer(body.encode(), "200 OK", JSON))

    refused(library_way.tags(), errors.ProtocolError)


def test_dld_23_the_command_line_prints_nothing_of_what_is_no_list(net: Network) -> None:
    registry_at(net).on(TAGS, answer(b'{"tags": "a"}', "200 OK", JSON))

    assert not refused(Way("command line", net).tags(), errors.ProtocolError).value


# --- DLD-27


@pytest.mark.parametrize("what", ["names", "bytes of names"])
def test_dld_27_a_list_of_tags_has_an_end(
    library_way: Way, net: Network, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    limit = {"names": ("MAX_NAMES", 50), "bytes of names": ("MAX_NAMES_SIZE", 250)}[what]
    monkeypatch.setattr(f"dreg_client.protocol.tags_and_catalog.{limit[0]}", limit[1])

    def another(heard: Heard) -> Piece:
        number = int(heard.query.get("page", ["0"])[0]) + 1
        page = sentence({"tags": [f"t{number}-{each}" for each in range(10)]})
        return answer(page, "200 OK", JSON, f'Link: <{TAGS}?page={number}>; rel="next"')

    registry = registry_at(net).on(TAGS, another)

    outcome = refused(library_way.tags(), errors.TooManyEntriesError)
    assert f"more than {limit[1]} {what}" in outcome.text
    assert len(registry.requests) < 10


def test_dld_27_a_catalog_has_an_end(library_way: Way, net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dreg_client.protocol.tags_and_catalog.MAX_NAMES", 50)
    page = sentence({"repositories": [f"r{number}" for number in range(51)]})
    registry_at(net).on("/v2/_catalog", answer(page, "200 OK", JSON))

    refused(library_way.do(lambda it: it.repositories()), errors.TooManyEntriesError)
    assert len(library_way.repositories().value) == 51


def test_dld_27_a_stream_of_tags_has_more_pages_than_a_list(library_way: Way, net: Network) -> None:
    def another(heard: Heard) -> Piece:
        number = int(heard.query.get("page", ["0"])[0]) + 1
        link = [f'Link: <{TAGS}?page={number}>; rel="next"'] if number < 1200 else []
        return answer(b'{"tags": ["a"]}', "200 OK", JSON, *link)

    registry_at(net).on(TAGS, another)

    assert len(library_way.ask(lambda it: it.iter_tags()).value) == 1200
