"""The summary at the top of the page of benchmarks: sentences filled with cells of its tables."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_SENTENCES: Final = (
    ("**Download.** A verified download of 1 GiB over HTTP takes {} times as long as with python-dxf.",
     "A blob of", "`download_blob`, fast", "ratio to python-dxf"),
    ("curl, which verifies nothing, takes {} times as long as python-dxf.",
     "A blob of", "curl, nothing checked", "ratio to python-dxf"),
    ("dreg-client needs {} MiB of memory.", "A blob of", "`download_blob`, fast", "peak MiB"),
    ("\n**Image.** A verified download of the layers of an image takes {} times as long as `skopeo copy`.",
     "An image of", "layers to verified files, 4 threads", "ratio to `skopeo copy` to `oci:`"),
    ("\n**Copy.** `dreg copy` from a layout to a registry takes {} times as long as `skopeo copy`,",
     "From a layout", "`dreg copy`", "ratio to `skopeo copy`"),
    ("from a registry to a layout {} times.", "From a registry", "`dreg copy`", "ratio to `skopeo copy`"),
    ("It needs {} MiB of memory.", "From a registry", "`dreg copy`", "peak MiB"),
    ("\n**Upload.** Hashing and uploading a file takes {} times as long as with python-dxf.",
     "One file", "`push_blob`", "ratio to python-dxf"),
    ("Without hashing, the same file takes {} times as long, which is the time of the registry.",
     "One file", "the least: http.client, digest given, nothing hashed", "ratio to python-dxf"),
    ("\n**Manifests.** Fetching and validating 1,000 manifests with 8 threads takes {} times as long",
     "1,000 tags", "8 threads", "ratio to python-dxf, digests alone"),
    ("as fetching only their digests with python-dxf, and {} times the CPU time.", "1,000 tags", "8 threads", "CPU"),
    ("\n**Parsing.** Strict parsing of a manifest takes {} times as long as a plain pydantic model.",
     "Parsing strictly", "manifest, 4 layers", "ratio"),
    ("Validation with jsonschema and the JSON Schema takes {} times as long as strict parsing.",
     "`json.loads`", "manifest, 4 layers", "jsonschema ratio"),
    ("\n**Stored documents.** `validate_file` validates {} documents per second with one process,",
     "A dump of", "`validate_file(path, jobs=1)`", "documents a second"),
    ("and {} with two.", "A dump of", "`validate_file(path, jobs=2)`", "documents a second"),
    ("`validate_batches` takes {} times the CPU time for the same documents in record batches of Arrow.",
     "Arrow:", "`validate_batches(batches)`", "CPU"),
    ("Reports in Parquet take {} times as long with two processes as with one,", "Reports: `dreg", "`--jobs 2`",
     "ratio to `--jobs 1`"),
    ("and {} times as long on a local Dask cluster of two workers as with two processes.",
     "Dask:", "`--scheduler local --jobs 2`", "ratio to `--jobs 2`"),
    ("Spark validates {} times as many documents per second as two processes,", "Engines:", "Apache Spark, `local[2]`",
     "ratio to `dreg validate --jobs 2`"),
    ("Ray {} times as many.", "Engines:", "Ray, 2 CPUs", "ratio to `dreg validate --jobs 2`"),
    ("In a simulation, 64 workers of Dask validate 100 million documents in {} minutes.",
     "The costs of", "Dask, 64 workers", "minutes"),
    ("\n**Storage of a registry.** Listing all repositories and tags takes {} times as long as through the server.",
     "All ", "`RegistryStorage`", "ratio to `Registry`, docker-registry serves it"),
    ("\n**Command line.** `dreg --help` takes {} ms,", "Start-up", "`dreg --help`", "milliseconds"),
    ("`dreg resolve` {} ms,", "One command", "`dreg resolve`", "ms"),
    ("`dreg tags` {} ms.", "One command", "`dreg tags`", "ms"),
)  # fmt: skip
"""Sentence, begin of the table's title, first cell of the row, column."""


@dataclass(frozen=True)
class _Table:
    title: str
    head: Sequence[str]
    rows: Mapping[str, Sequence[str]]

    def cell(self, row: str, column: str) -> str | None:
        """Return the median of a cell; None if there is no such cell."""
        cells = self.rows.get(row)
        if cells is None or column not in self.head:
            return None
        return cells[self.head.index(column)].partition(" (")[0] or None


def summary(texts: Sequence[str]) -> str:
    """Return the summary of the tables, in Markdown; a sentence whose table is missing is left out."""
    tables = [table for text in texts for table in _read(text)]
    found: list[str] = []
    for sentence, title, row, column in _SENTENCES:
        figures = (table.cell(row, column) for table in tables if table.title.startswith(title))
        figure = next(filter(None, figures), None)
        if figure is not None:
            found.append(sentence.format(figure))
    points = re.split(r"\n(?=\*\*)", " ".join(found).replace(" \n", "\n"))
    return "\n".join(
        ["## Summary", "", *(f"- {point.strip()}" for point in points if point.strip()), *_targets(tables), ""]
    )


def _targets(tables: Sequence[_Table]) -> Iterator[str]:
    verdicts = [
        (f"{table.title.partition(' (')[0]}: {row}", verdict.strip())
        for table in tables
        for row, cells in table.rows.items()
        for column, cell in zip(table.head, cells, strict=True)
        if column.endswith("target")
        for verdict in cell.split(";")
        if verdict.strip()
    ]
    missed = [f"    - {of} (target: {_missed(verdict)})" for of, verdict in verdicts if "MISSED" in verdict]
    if verdicts:
        yield f"- **Targets.** {len(verdicts) - len(missed)} of {len(verdicts)} were met" + (
            ". Missed:" if missed else "."
        )
        yield from missed


def _missed(verdict: str) -> str:
    target, _, measured = verdict.partition(": MISSED")
    return f"{target}; measured: {measured.strip(' ()')}" if measured else target


def _read(text: str) -> Iterator[_Table]:
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        lines = [line.strip("| ").split(" | ") for line in body.splitlines() if line.startswith("| ")]
        if len(lines) > 2:
            head = list(_named(lines[0]))
            yield _Table(title, head, {cells[0]: [*cells, *[""] * (len(head) - len(cells))] for cells in lines[2:]})


def _named(head: Sequence[str]) -> Iterator[str]:
    """Yield the names of columns; a repeated one is named together with the column before it."""
    for number, name in enumerate(head):
        yield f"{head[number - 1]} {name}" if name in head[:number] else name
