"""`dreg report`: sum up the reports of a validation as text, JSON or an HTML page."""

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from dreg_client.cli.arguments import file_option, formats_option
from dreg_client.cli.command import Command

if TYPE_CHECKING:
    from dreg_client.cli.report_sums import ReportSums


class _Reports(click.Path):
    """A folder or a file of reports, or a URL, which shells complete."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 (click calls it so)
        """Complete files and folders."""
        from dreg_client.cli.completed_names import files

        return files(incomplete)


@click.command("report", cls=Command)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=_Reports(readable=False))
@formats_option(
    "json", "html", help="Output format (default: text). Use json in scripts; html is a self-contained page."
)
@file_option
def report_command(sources: tuple[str, ...], output: str, file: str | None) -> int:
    """Summarize reports of dreg validate: number of documents, kinds and broken rules.

    Each rule that documents break is listed with its number of documents, the first document that breaks it, and a
    link to its explanation. Reports are read in constant memory.

    \b
    SOURCE is one of these:
      DIRECTORY    All *.parquet and *.jsonl files in it and its subdirectories, except for names that begin with _ or .
      FILE         A Parquet file of dreg validate, Spark, Ray or Dask; or the output of dreg validate --format jsonl.
      URL          A directory or a file on object storage, such as s3://BUCKET/REPORTS.

    \b
    Exit codes:
      0  All reports were read, whatever they contain.
      1  Some of the files are not reports; the others are summed up.
      2  None of the files is a report.
      4  There are no reports.
      5  A report is damaged; the others are summed up.

    If the run that wrote to a DIRECTORY is not complete, a warning says so.

    JSON output is an object with documents, valid, invalid, withWarnings, size, kinds, rules, failed, unread and
    incomplete.

    \b
    Examples:
      dreg report build/reports
      dreg report build/reports --format html -o build/report.html
    """
    from dreg_client.cli.report_sums import read_sums
    from dreg_client.values.source_url import is_remote

    if file is not None and is_remote(file):
        raise click.UsageError("-o takes a local file, not a URL; write the file, then upload it")
    sums = read_sums(sources, as_json=output == "json")
    if sums.files:
        _write(sums, output, file)
    return sums.exit_code


def _write(sums: "ReportSums", output: str, file: str | None) -> None:
    from contextlib import redirect_stdout
    from io import StringIO

    from dreg_client.cli.output import put_octets, put_result

    if output != "html" and file in {None, "-"}:
        put_result(output, sums.plain(), sums.lines())
        return
    with redirect_stdout(StringIO()):  # a file gets no colours
        content = _content(sums, output).encode(errors="backslashreplace")
    if file is None or file == "-":
        put_octets(content)
    else:
        from dreg_client.files.atomic import write_whole

        write_whole(file, [content])


def _content(sums: "ReportSums", output: str) -> str:
    if output == "html":
        from dreg_client.images.html import report_page

        return report_page(sums.plain())
    if output == "json":
        import json

        return f"{json.dumps(sums.plain(), indent=2)}\n"
    return "".join(f"{line}\n" for line in sums.lines())
