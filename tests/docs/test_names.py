"""The commands, options and methods that the pages name exist."""

import re

import click
import pytest

from dreg_client import Image, OciIndex, OciManifest, Registry, Repository
from dreg_client.cli.app import COMMANDS, dreg
from tests.docs.pages import PAGES, ROOT

_COMMAND = re.compile(r"`dreg ([a-z]+)([^`]*)`")
_OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")
_CODE = re.compile(r"`([^`]+)`")
_MEMBER = re.compile(r"(?<![\w\"/])(registry|repository|image|manifest|index)\.([a-z_]+)")
_CLASSES = {"registry": Registry, "repository": Repository, "image": Image, "manifest": OciManifest, "index": OciIndex}

NAMED = sorted({found.groups() for page in PAGES for found in _COMMAND.finditer(page.read_text())})
MEMBERS = sorted(
    {
        found.groups()
        for page in (ROOT / "docs/coming-from").glob("*.md")
        for row in page.read_text().splitlines()
        if row.startswith("| ")
        for cell in row.split(" | ")[1:]  # the first is the other tool's
        for code in _CODE.findall(cell)
        for found in _MEMBER.finditer(code)
    }
)


@pytest.mark.parametrize(("name", "rest"), NAMED)
def test_a_command_that_a_page_names_has_these_options(name: str, rest: str) -> None:
    assert name in COMMANDS
    command = dreg.get_command(click.Context(dreg), name)
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    if isinstance(command, click.Group):
        known |= {option for sub in command.commands.values() for it in sub.params for option in it.opts}

    assert set(_OPTION.findall(rest)) <= known


@pytest.mark.parametrize(("variable", "member"), MEMBERS)
def test_a_method_that_a_table_names_exists(variable: str, member: str) -> None:
    kind = _CLASSES[variable]

    assert member in dir(kind) or member in getattr(kind, "model_fields", {})


def test_there_are_commands_and_methods_to_check() -> None:
    assert len(NAMED) > 50
    assert len(MEMBERS) > 20
