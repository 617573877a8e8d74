"""What `dreg rule` prints: the text of the rule's page in the documentation."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from dreg_client.schemagen import rules

Run = Callable[..., Any]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_an_entry_has_its_source_its_reason_its_fix_and_its_examples(dreg: Run) -> None:
    entry = rules()["GEN-07"]

    lines = dreg("rule", "gen-07").lines

    assert lines[:5] == [
        f"GEN-07: {entry.title}",
        "  severity  error",
        f"  source    {entry.clause}",
        f'  quote     "{entry.quote}"',
        f"  why       {entry.why}",
    ]
    assert f"  fix       {entry.fix}" in lines
    assert lines[-5:] == [
        "  Example that breaks it:",
        f"    {entry.bad}",
        "  Valid example:",
        f"    {entry.good}",
        f"  {entry.url}",
    ]


def test_an_entry_without_a_fix_or_a_quote_has_no_line_for_it(dreg: Run) -> None:
    labels = {line.split()[0] for line in dreg("rule", "ANS-01").lines}

    assert {"severity", "source", "why"} <= labels
    assert not {"fix", "quote", "lenient", "Example"} & labels


def test_an_unknown_id_lists_the_ids_with_its_prefix(dreg: Run) -> None:
    unknown = dreg("rule", "dsc-1")

    assert (unknown.code, unknown.out) == (2, "")
    assert unknown.err.startswith("dreg: unknown rule 'dsc-1'; the rules with DSC are: DSC-01, DSC-02, ")


@pytest.mark.parametrize(
    ("words", "reason"), [([], "missing id of a rule, such as DSC-02"), (["list"], "unknown rule 'list'")]
)
def test_without_a_known_prefix_the_error_says_where_all_rules_are(dreg: Run, words: list[str], reason: str) -> None:
    done = dreg("rule", *words)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"dreg: {reason}; ids begin with ANN, ANS, ")
    assert "all rules are listed at https://" in done.err


def test_json_has_all_parts_of_an_entry(dreg: Run) -> None:
    assert json.loads(dreg("rule", "DSC-03", "--format", "json").out) == rules()["DSC-03"].plain()


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("rule", ["GEN-08", "LYT-03", "NAM-04"])
def test_all_but_examples_and_addresses_fits_the_terminal(terminal: Run, rule: str, columns: int) -> None:
    entry = rules()[rule]

    lines = ESCAPE.sub("", terminal("rule", rule, columns=columns).out).splitlines()

    examples = {f"    {line}" for example in (entry.good, entry.bad) for line in example.splitlines()}
    assert [line for line in lines if len(line) > columns and line not in examples] == [f"  {entry.url}"] * (
        len(entry.url) + 2 > columns
    )
