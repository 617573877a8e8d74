"""Headers against slow parsers, written here once more from the grammars of their RFCs."""

import re
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreg_client import Digest, errors
from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.messages import Headers, Response
from dreg_client.protocol.tags_and_catalog import next_target
from dreg_client.protocol.www_authenticate import parse_challenges
from dreg_client.values.reference import RepositoryName
from tests.properties import texts

TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
QUOTED = r'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
OWS = r"[ \t]*"
PARAMETER = re.compile(rf"({TOKEN}){OWS}={OWS}({TOKEN}|{QUOTED})")
SCHEME = re.compile(rf"({TOKEN})(?: +(.*))?", re.DOTALL)
TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*")

Read = list[tuple[str, dict[str, str]]]


class RefusedError(Exception):
    """The grammar does not have it."""


def elements(line: str) -> list[str]:
    """The elements of a list: what stands between commas that are in no quoted-string (RFC 9110 5.6.1)."""
    found, quoted, escaped = [""], False, False
    for character in line:
        if character == "," and not quoted:
            found.append("")
            continue
        found[-1] += character
        if escaped:
            escaped = False
        elif character == "\\" and quoted:
            escaped = True
        elif character == '"':
            quoted = not quoted
    return found


def unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL) if value.startswith('"') else value


def challenges_by_rfc_9110(line: str) -> Read:
    """`#challenge`; `challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]` (11.2, 11.3, 11.6.1)."""
    found: Read = []
    takes_more = False
    for element in elements(line):
        text = element.strip(" \t")
        if not text:
            continue
        more = PARAMETER.fullmatch(text)
        if more and takes_more:
            add(found, more)
            continue
        takes_more = begin(found, text, element)
    return found


def begin(found: Read, text: str, element: str) -> bool:
    """A challenge begins. Whether parameters may follow behind a comma."""
    scheme = SCHEME.fullmatch(text)
    if scheme is None:
        raise RefusedError
    found.append((scheme[1].lower(), {}))
    if scheme[2] is None:
        return element.endswith(" ")
    if TOKEN68.fullmatch(scheme[2]):
        return False
    first = PARAMETER.fullmatch(scheme[2])
    if first is None:
        raise RefusedError
    add(found, first)
    return True


def add(found: Read, parameter: re.Match[str]) -> None:
    name = parameter[1].lower()
    if name in found[-1][1]:
        raise RefusedError
    found[-1][1][name] = unquoted(parameter[2])


@settings(max_examples=600)
@given(texts.joined("a ", "B", " ", ", ", ",", "=", '"', "\\", "c/d", "\t", 'e="f, g"', "==", "h=i", "j = k", most=8))
def test_aut_07_what_rfc_9110_reads_is_read_alike(line: str) -> None:
    try:
        due = challenges_by_rfc_9110(line)
    except RefusedError:
        return  # registries err; where it is clear what they mean, we read on
    found = parse_challenges([line])

    assert [(challenge.scheme, challenge.parameters) for challenge in found] == due


SPACE = st.sampled_from(["", " ", "\t", "  "])
VALUES = st.from_regex(TOKEN, fullmatch=True) | st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=8
).filter(lambda text: not any(0x80 <= ord(character) < 0xA0 for character in text))


def written(value: str) -> str:
    """A value as a header has it."""
    if re.fullmatch(TOKEN, value):
        return value
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Bearer", "basic", "Negotiate"]),
            st.dictionaries(st.sampled_from(["realm", "service", "scope", "error"]), VALUES, min_size=1),
        ),
        max_size=4,
    ),
    st.booleans(),
    st.data(),
)
def test_aut_07_challenges_that_are_written_by_the_grammar_come_back(
    due: Read, in_one_line: bool, data: st.DataObject
) -> None:
    spaces = SPACE.map(str)
    lines: list[str] = []
    for scheme, parameters in due:
        pairs = [f"{name}{data.draw(spaces)}={data.draw(spaces)}{written(value)}" for name, value in parameters.items()]
        lines.append(f"{scheme} " + f"{data.draw(spaces)},{data.draw(spaces)}".join(pairs))
    found = parse_challenges([", ".join(lines)] if in_one_line else lines)

    assert [(challenge.scheme, challenge.parameters) for challenge in found] == [
        (scheme.lower(), parameters) for scheme, parameters in due
    ]


@dataclass(frozen=True)
class Link:
    """One link as it is meant."""

    target: str
    relations: tuple[str, ...] | None


RELATIONS = st.sampled_from(["next", "NEXT", "prev", "last", "nextish", "x-next"])
LINKS = st.builds(
    Link,
    st.sampled_from(["/v2/a/tags/list?last=b", "list?n=1,2;x", "https://r.example/v2/?a", "?a=<", "/v2/a%3E"]).map(
        lambda target: target.replace("<", "%3C")
    ),
    st.none() | st.lists(RELATIONS, max_size=3).map(tuple),
)


def link_by_rfc_8288(link: Link, data: st.DataObject) -> str:
    """`link-value = "<" URI-Reference ">" *( OWS ";" OWS link-param )` (RFC 8288 3)."""
    parameters = data.draw(
        st.lists(st.sampled_from(['title="a, <b>; rel=next"', "hreflang=de", "crossorigin"]), max_size=2)
    )
    if link.relations is not None:
        parameters.append(f"{data.draw(st.sampled_from(['rel', 'REL']))}={rel_value(link.relations, data)}")
        parameters.append('rel="next"')  # "occurrences after the first MUST be ignored by parsers" (3.3)
    shown = "".join(f"{data.draw(SPACE)};{data.draw(SPACE)}{parameter}" for parameter in parameters)
    return f"<{link.target}>{shown}"


def rel_value(relations: tuple[str, ...], data: st.DataObject) -> str:
    text = " ".join(relations)
    if re.fullmatch(TOKEN, text) and data.draw(st.booleans()):
        return text
    escaped = data.draw(st.booleans())
    return '"' + ("".join(f"\\{character}" for character in text) if escaped else text) + '"'


@settings(max_examples=200)
@given(st.lists(LINKS, max_size=4), st.booleans(), st.data())
def test_dld_22_the_next_page_is_that_of_the_first_link_that_says_so(
    links: list[Link], in_one_line: bool, data: st.DataObject
) -> None:
    """One without any relation is taken for it, too, as registries mean it."""
    lines = [link_by_rfc_8288(link, data) for link in links]
    headers = (
        [("Link", f"{data.draw(SPACE)},{data.draw(SPACE)}".join(lines))]
        if in_one_line
        else [("Link", line) for line in lines]
    )
    response = Response(200, Headers(headers), url="https://r.example/v2/a/tags/list", registry="https://r.example")
    due = next((link for link in links if is_next(link)), None)
    found = next_target(response)

    assert (found is None) == (due is None)
    if due is not None and found is not None:
        assert found.endswith(due.target.removeprefix("https://r.example"))


def is_next(link: Link) -> bool:
    return link.relations is None or "next" in [relation.lower() for relation in link.relations]


NUMBERS = st.integers(0, 12).map(str) | st.sampled_from(
    ["", "-1", "+5", "05", "\u0665", "1e1", "*", "9" * 19, "9" * 20]
)


@settings(max_examples=300)
@given(st.sampled_from(["bytes ", "Bytes ", "bytes  ", "bytes=", "items ", ""]), NUMBERS, NUMBERS, NUMBERS)
def test_dld_09_only_the_part_that_was_asked_for_is_taken(unit: str, first: str, last: str, whole: str) -> None:
    """RFC 9110 14.4: last below first, or the whole not above last, "MUST NOT attempt to recombine"."""
    machine = BlobTransfer(RepositoryName("a"), BlobRequest(Digest.of(b""), start=5))
    response = Response(206, Headers([("Content-Range", f"{unit}{first}-{last}/{whole}")]))

    assert machine.begin(response) == (unit == "bytes " and is_rest_from_5(first, last, whole))


def is_rest_from_5(first: str, last: str, whole: str) -> bool:
    def number(text: str) -> int | None:
        return int(text) if re.fullmatch("[0-9]{1,19}", text) else None

    start, end, size = number(first), number(last), number(whole)
    if start != 5 or end is None or end < start:
        return False
    return whole == "*" or (size is not None and size > end)


def test_a_part_that_says_nonsense_of_itself_is_asked_for_as_a_whole_once() -> None:
    machine = BlobTransfer(RepositoryName("a"), BlobRequest(Digest.of(b""), start=5))

    assert not machine.begin(Response(206, Headers([("Content-Range", "bytes 5-4/10")])))
    with pytest.raises(errors.ProtocolError):
        machine.begin(Response(206, Headers([("Content-Range", "bytes 5-4/10")])))
