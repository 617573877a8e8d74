"""What a registry says besides documents: ANS-01 to ANS-09 and decision D-02."""

import pytest

from dreg_client.errors import ProtocolError, RegistryError, TokenError
from dreg_client.protocol.error_responses import raise_for_status
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.responses import TokenResponse, parse_errors, parse_names
from dreg_client.values.reference import RepositoryName, Tag


def tags(raw: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return parse_names(Response(200, body=raw), "tags", Tag)


def repositories(raw: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return parse_names(Response(200, body=raw), "repositories", RepositoryName)


def test_ans_02_tags_keep_their_order_and_what_is_no_tag_is_left_out() -> None:
    names, left_out = tags(b'{"name": "x/y", "tags": ["1.4", null, "sha256:abc", 5, "1.3", "1.4"], "child": []}')

    assert names == ("1.4", "1.3", "1.4")
    assert left_out == ("None", "sha256:abc", "5")


def test_ans_01_the_name_is_compared_with_nothing_and_may_be_of_any_type() -> None:
    assert tags(b'{"name": "NOT/a name", "tags": ["a"]}') == (("a",), ())
    assert tags(b'{"name": 5, "tags": ["a"]}') == (("a",), ())


def test_d_02_null_is_an_empty_list() -> None:
    assert tags(b'{"tags": null}') == ((), ())
    assert repositories(b'{"repositories": null}') == ((), ())


@pytest.mark.parametrize(
    "raw", ["{}", '{"tags": {}}', '{"tags": "1.4"}', "[]", "<html>", "", '{"tags": [], "tags": []}', '{"tags": [NaN]}']
)
def test_d_02_an_answer_without_a_list_is_no_answer(raw: str) -> None:
    with pytest.raises(ProtocolError):
        tags(raw.encode())
    with pytest.raises(ProtocolError):
        repositories(raw.encode())


def test_a_name_with_a_line_feed_is_not_two_names() -> None:
    assert tags(b'{"tags": ["a\\nb", "c"]}') == (("c",), ("a\nb",))
    assert repositories(b'{"repositories": ["a\\nb", "c"]}') == (("c",), ("a\nb",))


def test_ans_03_repositories_follow_their_grammar() -> None:
    assert repositories(b'{"repositories": ["a/b", "A", "a//b", "c"]}') == (("a/b", "c"), ("A", "a//b"))


def test_ans_05_ans_06_the_errors_of_a_body_are_read() -> None:
    body = b'{"errors": [{"code": "DENIED", "message": "no", "detail": {"a": [1]}}, {"code": 5}, 3]}'

    assert parse_errors(body) == [("DENIED", "no"), ("UNKNOWN", "")]


@pytest.mark.parametrize("raw", ["no", '{"errors": {}}', "[]", '{"errors": [1]}', "\x00\x1b[31m"])
def test_ans_04_any_other_body_is_kept_as_text_cut_short(raw: str) -> None:
    def said(body: str) -> tuple[str, ...]:
        with pytest.raises(RegistryError) as refused:
            raise_for_status(Response(400, body=body.encode()), Request("GET", "/v2/"))
        return refused.value.said

    shown = raw.replace("\x00", "\\x00").replace("\x1b", "\\x1b")
    assert said(raw) == (shown,)
    assert [len(line) for line in said(raw + "x" * 1_000_000)] == [1024]
    assert said(f"<html>{raw}</html>") == ()


def test_ans_04_of_very_many_errors_ten_are_kept() -> None:
    assert len(parse_errors(b'{"errors": [' + b'{"code": "A"},' * 1000 + b'{"code": "A"}]}')) == 10


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ('{"token": "t"}', "t"),
        ('{"access_token": "a"}', "a"),
        ('{"token": "t", "access_token": "a"}', "t"),
        ('{"token": "", "access_token": "a"}', "a"),
    ],
)
def test_ans_07_the_token_counts_before_the_access_token(raw: str, value: str) -> None:
    assert TokenResponse.parse(raw.encode()).value == value


@pytest.mark.parametrize("raw", ["{}", "<html>canary</html>", '{"token": 5}', '{"token": ""}', "[]"])
def test_ans_07_an_answer_without_a_token_is_refused_and_its_body_never_told(raw: str) -> None:
    with pytest.raises(TokenError) as refused:
        TokenResponse.parse(raw.encode())
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("life", "seconds"),
    [
        ("300", 300),
        ("0", 60),
        ("-1", 60),
        ("59", 60),
        ("3601", 3600),
        ('"300"', 60),
        ("null", 60),
        ("1e3", 60),
        ("true", 60),
    ],
)
def test_ans_08_the_life_of_a_token_is_from_a_minute_to_an_hour(life: str, seconds: int) -> None:
    assert TokenResponse.parse(f'{{"token": "t", "expires_in": {life}}}'.encode()).expires_in == seconds


def test_a_token_is_never_shown() -> None:
    answer = TokenResponse.parse(b'{"token": "canary", "refresh_token": "canary"}')

    assert "canary" not in repr(answer) + str(answer) + f"{answer}"


@pytest.mark.parametrize("depth", [10, 55, 62])
def test_gen_04_what_is_nested_as_deep_as_may_be_is_kept(depth: int) -> None:
    deep = b"[" * depth + b"]" * depth

    assert tags(b'{"tags": ["a"], "other": ' + deep + b"}") == (("a",), ())
    assert repositories(b'{"repositories": ["a"], "other": ' + deep + b"}") == (("a",), ())


@pytest.mark.parametrize("depth", [64, 1000, 100_000])
def test_gen_04_what_is_nested_deeper_is_our_error_or_text(depth: int) -> None:
    deep = b'{"tags": [], "repositories": [], "token": "t", "errors": [{"detail": %b}]}' % (b"[" * depth + b"]" * depth)

    with pytest.raises(ProtocolError, match="deeper nesting"):
        tags(deep)
    with pytest.raises(ProtocolError, match="deeper nesting"):
        repositories(deep)
    with pytest.raises(TokenError):
        TokenResponse.parse(deep)
    assert parse_errors(deep) == []


def test_the_detail_of_an_error_may_be_nested_as_deep_as_json_may() -> None:
    assert parse_errors(b'{"errors": [{"detail": %b}]}' % (b"[" * 61 + b"]" * 61)) == [("UNKNOWN", "")]
