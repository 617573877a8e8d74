"""Pages of the documentation that are made from the models and the rules: Markdown files, as any other page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dreg_client.models.parse import KINDS
from dreg_client.schemagen.folder import Stale, check_files, write_files
from dreg_client.schemagen.rulebook import RuleEntry, RuleFamily, families, rules
from dreg_client.schemagen.schema_page import linked, schema_page
from dreg_client.schemagen.schemas import NAMES, differs_when_written, schema

_MADE: Final = "<!-- Made by: dreg schema write schemas --docs docs -->\n\n"


def write_pages(docs: str | Path) -> tuple[Path, ...]:
    """Write the pages of schemas and rules into the folder of the documentation; those that are current stay.

    Raises:
        LayoutError: A file cannot be written, or read.
    """
    return write_files(Path(docs), dict(_pages()))


def check_pages(docs: str | Path) -> tuple[Stale, ...]:
    """Which pages are not what `write_pages` would leave there.

    Raises:
        LayoutError: A file cannot be read.
    """
    return check_files(Path(docs), dict(_pages()))


def _pages() -> Iterator[tuple[str, str]]:
    yield "documents/index.md", _MADE + _overview()
    for name in NAMES:
        yield f"documents/{name}.md", _MADE + schema_page(name)
    yield "rules/index.md", _MADE + _rules_overview()
    for family in families():
        yield f"rules/{family.name}.md", _MADE + _rules_page(family)


# --- schemas


def _overview() -> str:
    rows = "\n".join(_row(name) for name in NAMES)
    beyond = "\n".join(
        f"| {linked(rule.id)} | {rule.beyond_schema} |" for rule in rules().values() if rule.beyond_schema
    )
    return f"""# Schemas

JSON Schemas (draft 2020-12) of each kind of document, from the models that read them. A schema accepts every document
that the models accept, and refuses what they refuse wherever JSON Schema can say it. What is a warning or a note is no
error: a schema accepts it. [How to use them](../guides/schemas.md) in editors, other languages and OpenAPI.

| schema | of | media types | to download |
| --- | --- | --- | --- |
{rows}

*written* is what this library writes, where that is less than what it accepts: no `null` for a list, for one.

## What no schema says

These rules refuse documents, and JSON Schema has no words for them, or not for all of them.
`dreg validate` and the models check all of these.

| rule | why |
| --- | --- |
{beyond}
"""


def _row(name: str) -> str:
    types = KINDS[name].media_types if name in KINDS else ()
    files = f"[{name}.json](../schemas/{name}.json)"
    if differs_when_written(name):
        files += f", [written](../schemas/serialization/{name}.json)"
    shown = "<br>".join(f"`{media_type}`" for media_type in types) or "each of the four kinds of today"
    return f"| [{name}]({name}.md) | {schema(name)['title']} | {shown} | {files} |"


# --- rules


def _rules_overview() -> str:
    parts = [_family_table(family) for family in families()]
    return f"""# Rules

Each problem that is reported names a rule by its id. Here is why the rule is there, an example that breaks it and one
that is right, and how to mend what breaks it; `dreg rule DSC-03` prints the same. Ids are stable.

An *error* refuses a document. A *warning* leaves no doubt about what was meant; the document is read. A *note* is for
those who ask for it, with `--pedantic`. What is *accepted* is here as others refuse it.

{"".join(parts).strip()}
"""


def _family_table(family: RuleFamily) -> str:
    rows = "\n".join(f"| {linked(entry.id, above='')} | {entry.title} | {entry.verdict} |" for entry in family.entries)
    return f"## {family.title}\n\n| rule | what | breaking it is |\n| --- | --- | --- |\n{rows}\n\n"


def _rules_page(family: RuleFamily) -> str:
    entries = "\n".join(map(_rule_entry, family.entries))
    return f"# {family.name.upper()}: {family.title}\n\n{family.about}\n\n{entries}"


def _rule_entry(entry: RuleEntry) -> str:
    lines = [
        f"## {entry.id}: {entry.title} {{ #{entry.id.lower()} }}",
        f"**{entry.verdict.capitalize()}.** {entry.why}",
    ]
    if entry.note:
        lines.append(entry.note)
    if entry.bad:
        lines += ["Breaks it:", _example(entry, entry.bad), f"**Mend it.** {entry.mend}"]
    lines += ["Is right:", _example(entry, entry.good)]
    if entry.beyond_schema:
        lines.append(f"**In JSON Schema.** {entry.beyond_schema}")
    return "\n\n".join([*lines, f"From {entry.clause}.\n"])


def _example(entry: RuleEntry, example: str) -> str:
    if entry.of == "words":
        return f"> {example}"
    language = "text" if entry.of in {"reference", "error-body"} else "json"
    return f"```{language}\n{example.strip()}\n```"
