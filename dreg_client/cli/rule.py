"""`dreg rule`: what a rule is for, and how to mend what breaks it."""

import click

from dreg_client.cli.sources import format_option
from dreg_client.cli.text import put, put_json, styled, wrapped


@click.command("rule")
@click.argument("rule", metavar="ID")
@format_option
def rule_command(rule: str, output: str) -> None:
    """Explain a rule that a report names: why it is there, what breaks it, what follows it, how to mend it.

    \b
    Examples:
      dreg rule DSC-02
      dreg rule GEN-08 --format json
    """
    from dreg_client.schemagen import rules

    entry = rules().get(rule.upper())
    if entry is None:
        raise click.BadParameter(f"there is no rule {rule}; such ids stand in reports, as DSC-02", param_hint="ID")
    if output == "json":
        put_json(entry.plain())
        return
    put(styled(f"{entry.id}: {entry.title}", "bold"))
    for label, text in (("verdict", entry.verdict), ("from", entry.clause), ("why", entry.why), ("mend", entry.mend)):
        put(f"  {label:<9}{wrapped(text, 11)}")
    for label, example in (("breaks it", entry.bad), ("is right", entry.good)):
        put(f"  {label}")
        for line in example.splitlines():
            put(f"    {line}")
    put(f"  {entry.url}")
