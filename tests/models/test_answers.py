"""What a registry says besides documents: ANS-01 to ANS-09 and decision D-02."""

import pickle

import pytest
from pydantic import ValidationError

from dreg_client.errors import ProtocolError, TokenError
from dreg_client.models.responses import Catalog, ErrorBody, TagList, TokenAnswer


def test_ans_02_tags_keep_their_order_and_what_is_no_tag_is_left_out() -> None:
    answer = TagList.parse('{"name": "x/y", "tags": ["1.4", null, "sha256:abc", 5, "1.3", "1.4"], "child": []}')

    assert answer.tags == ("1.4", "1.3", "1.4")
    assert answer.left_out == ("None", "sha256:abc", "5")
    assert answer.unknown_members == {"child": ()}
    assert pickle.loads(pickle.dumps(answer)) == answer


def test_ans_01_the_name_is_compared_with_nothing_and_may_be_of_any_type() -> None:
    assert TagList.parse('{"name": "NOT/a name", "tags": []}').name == "NOT/a name"
    assert TagList.parse('{"name": 5, "tags": []}').name is None


def test_d_02_null_is_an_empty_list() -> None:
    assert TagList.parse('{"tags": null}').tags == ()
    assert Catalog.parse('{"repositories": null}').repositories == ()


@pytest.mark.parametrize(
    "raw", ["{}", '{"tags": {}}', '{"tags": "1.4"}', "[]", "<html>", "", '{"tags": [], "tags": []}', '{"tags": [NaN]}']
)
def test_d_02_an_answer_without_a_list_is_no_answer(raw: str) -> None:
    with pytest.raises(ProtocolError):
        TagList.parse(raw)
    with pytest.raises(ProtocolError):
        Catalog.parse(raw)


def test_a_name_with_a_line_feed_is_not_two_names() -> None:
    assert TagList.parse('{"tags": ["a\\nb", "c"]}').left_out == ("a\nb",)
    assert Catalog.parse('{"repositories": ["a\\nb", "c"]}').left_out == ("a\nb",)


def test_a_list_of_names_still_refuses_what_is_none_where_nobody_sorted_it_out() -> None:
    with pytest.raises(ValidationError, match="letters, digits"):
        TagList.model_validate({"tags": ["a", "a b"]})
    with pytest.raises(ValidationError):
        Catalog.model_validate_json('{"repositories": [5]}')
    assert Catalog.model_validate_json('{"repositories": ["a__b"]}').repositories == ("a__b",)


def test_ans_03_repositories_follow_their_grammar() -> None:
    answer = Catalog.parse('{"repositories": ["a/b", "A", "a//b", "c"]}')

    assert answer.repositories == ("a/b", "c")
    assert answer.left_out == ("A", "a//b")


def test_ans_05_ans_06_the_errors_of_a_body_are_read() -> None:
    body = ErrorBody.parse('{"errors": [{"code": "DENIED", "message": "no", "detail": {"a": [1]}}, {"code": 5}, 3]}')

    assert [(entry.code, entry.message) for entry in body.errors] == [("DENIED", "no"), ("UNKNOWN", "")]
    assert body.errors[0].detail == {"a": (1,)}


@pytest.mark.parametrize("raw", ["<html>no</html>", '{"errors": {}}', "[]", '{"errors": [1]}', "\x00\x1b[31m"])
def test_ans_04_any_other_body_is_kept_as_text_cut_short(raw: str) -> None:
    assert ErrorBody.parse(raw).text == raw
    assert len(ErrorBody.parse(raw + "x" * 1_000_000).text) == 1024


def test_ans_04_of_very_many_errors_ten_are_kept() -> None:
    assert len(ErrorBody.parse('{"errors": [' + '{"code": "A"},' * 1000 + '{"code": "A"}]}').errors) == 10


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
    assert TokenAnswer.parse(raw).value == value


@pytest.mark.parametrize("raw", ["{}", "<html>canary</html>", '{"token": 5}', '{"token": ""}', "[]"])
def test_ans_07_an_answer_without_a_token_is_refused_and_its_body_never_told(raw: str) -> None:
    with pytest.raises(TokenError) as refused:
        TokenAnswer.parse(raw)
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
    assert TokenAnswer.parse(f'{{"token": "t", "expires_in": {life}}}').expires_in == seconds


def test_a_token_is_never_shown() -> None:
    answer = TokenAnswer.parse('{"token": "canary", "refresh_token": "canary"}')

    assert "canary" not in repr(answer) + str(answer) + f"{answer}" + str(answer.model_dump())
