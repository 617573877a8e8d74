"""What a registry says besides documents: ANS-01 to ANS-09 and decision D-02."""

import pickle

import pytest

from dreg_client.errors import ProtocolError, TokenError
from dreg_client.protocol.responses import Catalog, ErrorBody, TagList, TokenResponse


def test_ans_02_tags_keep_their_order_and_what_is_no_tag_is_left_out() -> None:
    answer = TagList.parse(b'{"name": "x/y", "tags": ["1.4", null, "sha256:abc", 5, "1.3", "1.4"], "child": []}')

    assert answer.tags == ("1.4", "1.3", "1.4")
    assert answer.left_out == ("None", "sha256:abc", "5")
    assert answer.unknown_members == {"child": ()}
    assert pickle.loads(pickle.dumps(answer)) == answer


def test_ans_01_the_name_is_compared_with_nothing_and_may_be_of_any_type() -> None:
    assert TagList.parse(b'{"name": "NOT/a name", "tags": []}').name == "NOT/a name"
    assert TagList.parse(b'{"name": 5, "tags": []}').name is None


def test_d_02_null_is_an_empty_list() -> None:
    assert TagList.parse(b'{"tags": null}').tags == ()
    assert Catalog.parse(b'{"repositories": null}').repositories == ()


@pytest.mark.parametrize(
    "raw", ["{}", '{"tags": {}}', '{"tags": "1.4"}', "[]", "<html>", "", '{"tags": [], "tags": []}', '{"tags": [NaN]}']
)
def test_d_02_an_answer_without_a_list_is_no_answer(raw: str) -> None:
    with pytest.raises(ProtocolError):
        TagList.parse(raw.encode())
    with pytest.raises(ProtocolError):
        Catalog.parse(raw.encode())


def test_a_name_with_a_line_feed_is_not_two_names() -> None:
    assert TagList.parse(b'{"tags": ["a\\nb", "c"]}').left_out == ("a\nb",)
    assert Catalog.parse(b'{"repositories": ["a\\nb", "c"]}').left_out == ("a\nb",)


def test_ans_03_repositories_follow_their_grammar() -> None:
    answer = Catalog.parse(b'{"repositories": ["a/b", "A", "a//b", "c"]}')

    assert answer.repositories == ("a/b", "c")
    assert answer.left_out == ("A", "a//b")


def test_ans_05_ans_06_the_errors_of_a_body_are_read() -> None:
    body = ErrorBody.parse(b'{"errors": [{"code": "DENIED", "message": "no", "detail": {"a": [1]}}, {"code": 5}, 3]}')

    assert [(entry.code, entry.message) for entry in body.errors] == [("DENIED", "no"), ("UNKNOWN", "")]
    assert body.errors[0].detail == {"a": (1,)}


@pytest.mark.parametrize("raw", ["<html>no</html>", '{"errors": {}}', "[]", '{"errors": [1]}', "\x00\x1b[31m"])
def test_ans_04_any_other_body_is_kept_as_text_cut_short(raw: str) -> None:
    assert ErrorBody.parse(raw.encode()).text == raw
    assert len(ErrorBody.parse((raw + "x" * 1_000_000).encode()).text) == 1024


def test_ans_04_of_very_many_errors_ten_are_kept() -> None:
    assert len(ErrorBody.parse(b'{"errors": [' + b'{"code": "A"},' * 1000 + b'{"code": "A"}]}').errors) == 10


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

    assert TagList.parse(b'{"tags": ["a"], "other": ' + deep + b"}").tags == ("a",)
    assert Catalog.parse(b'{"repositories": ["a"], "other": ' + deep + b"}").repositories == ("a",)


@pytest.mark.parametrize("depth", [64, 1000, 100_000])
def test_gen_04_what_is_nested_deeper_is_our_error_or_text(depth: int) -> None:
    deep = b'{"tags": [], "repositories": [], "token": "t", "errors": [{"detail": %b}]}' % (b"[" * depth + b"]" * depth)

    with pytest.raises(ProtocolError, match="deeper nesting"):
        TagList.parse(deep)
    with pytest.raises(ProtocolError, match="deeper nesting"):
        Catalog.parse(deep)
    with pytest.raises(TokenError):
        TokenResponse.parse(deep)
    assert ErrorBody.parse(deep).errors == ()


def test_the_detail_of_an_error_may_be_nested_as_deep_as_json_may() -> None:
    assert ErrorBody.parse(b'{"errors": [{"detail": %b}]}' % (b"[" * 61 + b"]" * 61)).errors[0].code == "UNKNOWN"
