"""The page on JSON output names the members that the commands print."""

import json
import re
from pathlib import Path

import pytest

PAGE = Path("docs/reference/json.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["copy", "gc", "report"])
def test_each_member_of_the_output_is_described_under_its_name(command: str) -> None:
    section = PAGE.partition(f"\n## {command}\n")[2].partition("\n## ")[0]
    printed = re.search(r"^\{.*?^\}", section, re.MULTILINE | re.DOTALL)
    described = re.findall(r"^\| (`[^|]+)\|", section, re.MULTILINE)

    assert printed is not None
    assert {*re.findall(r"`(\w+)`", " ".join(described))} == json.loads(printed[0]).keys()
