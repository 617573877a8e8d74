"""The entries of rules: one for each id that a report can name, whose examples break and follow just what they say."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from dreg_client import DregError, Reference, Severity, validate
from dreg_client.errors.problems import SITE, rule_url
from dreg_client.models.kinds import KIND_NAMES
from dreg_client.models.rules import CLAUSES
from dreg_client.protocol.messages import Response
from dreg_client.protocol.responses import TokenResponse, parse_errors
from dreg_client.protocol.tags_and_catalog import catalog_pages, tag_pages
from dreg_client.schemagen import RuleEntry, families, rules
from dreg_client.schemagen.schemas import examples
from dreg_client.values.reference import RepositoryName

ENTRIES = list(rules().values())
READERS: dict[str, Callable[[str], object]] = {
    "reference": Reference.parse,
    "tag-list": lambda text: tag_pages(RepositoryName("a/b")).names(Response(200, body=text.encode())),
    "catalog": lambda text: catalog_pages().names(Response(200, body=text.encode())),
    "error-body": lambda text: parse_errors(text.encode()),
    "token": lambda text: TokenResponse.parse(text.encode()),
}
OF_DOCUMENTS = [entry for entry in ENTRIES if entry.of in {*KIND_NAMES, "any"}]
OF_OTHERS = [entry for entry in ENTRIES if entry.of in READERS]


def by_id(entry: RuleEntry) -> str:
    return entry.id


def whole(entry: RuleEntry, example: str) -> str:
    """The example as a document: members of it stand beside those of a good one."""
    if entry.whole:
        return example
    beside: dict[str, Any] = examples()[entry.of][0]
    others = {name: value for name, value in beside.items() if name not in json.loads(example)}
    return json.dumps(others).removesuffix("}") + (", " if others else "") + example.removeprefix("{")


def broken(entry: RuleEntry, example: str) -> dict[str, Severity]:
    kind = None if entry.of == "any" else entry.of
    report = validate(whole(entry, example), kind=kind, media_type=entry.media_type or None, pedantic=True)
    return {problem.rule: problem.severity for problem in reversed(report.problems)}


def test_each_rule_that_a_report_can_name_has_an_entry() -> None:
    assert set(CLAUSES) <= rules().keys()


def test_rules_stand_in_the_family_that_their_ids_name_in_order() -> None:
    for family in families():
        ids = [entry.id for entry in family.entries]

        assert ids == sorted(ids)
        assert {rule[:3].lower() for rule in ids} == {family.name}
        assert family.title
        assert family.about


@pytest.mark.parametrize("entry", ENTRIES, ids=by_id)
def test_an_entry_says_what_there_is_to_say(entry: RuleEntry) -> None:
    assert all((entry.title, entry.why, entry.good, entry.clause))
    assert entry.fix or entry.verdict == "accepted"
    assert entry.verdict in {"error", "warning", "note", "accepted"}
    assert bool(entry.bad) is (entry.verdict != "accepted")
    assert entry.of in {*KIND_NAMES, "any", "words", *READERS}
    assert entry.url == rule_url(entry.id)
    assert entry.url.startswith(SITE)


@pytest.mark.parametrize("entry", [entry for entry in OF_DOCUMENTS if entry.bad], ids=by_id)
def test_a_bad_example_breaks_its_rule_with_the_verdict_that_is_told(entry: RuleEntry) -> None:
    found = broken(entry, entry.bad)

    assert found.get(entry.id) == entry.verdict
    assert {rule for rule, severity in found.items() if severity is Severity.ERROR} <= {entry.id}


@pytest.mark.parametrize("entry", OF_DOCUMENTS, ids=by_id)
def test_a_good_example_breaks_nothing(entry: RuleEntry) -> None:
    assert set(broken(entry, entry.good)) <= {"GEN-09", "MAN-08"} - {entry.id}


@pytest.mark.parametrize("entry", OF_OTHERS, ids=by_id)
def test_names_and_answers_are_refused_and_read_as_their_entries_say(entry: RuleEntry) -> None:
    READERS[entry.of](entry.good)
    if entry.bad:
        with pytest.raises(DregError):
            READERS[entry.of](entry.bad)
