"""Commands on several items: each is tried, each failure is reported, and the exit code tells whether all failed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.answering import Heard
from tests.answering import registry as answering
from tests.raw_server import answer
from tests.registries import LAYOUT

Run = Callable[..., Any]


def test_cli_12_of_several_what_fails_loses_no_other(said: Run, web: str) -> None:
    sources = [f"{web}:1.4", f"{web}:none", f"oci:{LAYOUT}:1.4", "localhost:1/x:1", f"{web}:1.3"]
    told = said("resolve", *sources, "--retries", "0")

    assert told.code == 1
    assert said("resolve", f"{web}:none", f"{web}:neither").code == 4, "all failed for one cause"
    assert said("resolve", f"{web}:none", "localhost:1/x", "--retries", "0").code == 1
    assert [line.split("  ")[1] for line in told.lines] == [sources[0], sources[2], sources[4]]
    assert "2 of 5 failed: " in told.err.splitlines()[-1]
    assert sources[1] in told.err.splitlines()[-1]

    for names in (sources, sources[:1], sources[1:2]):
        told = said("resolve", *names, "--retries", "0", "--format", "json")
        shown = [found["source"] for found in json.loads(told.out)]
        failed = [json.loads(line)["source"] for line in told.err.splitlines()]
        assert sorted(shown + failed) == sorted(names)

    listed = json.loads(said("tags", web, f"oci:{LAYOUT}", "--format", "json").out)
    assert [entry["source"] for entry in listed] == [web, f"oci:{LAYOUT}"]
    assert said("tags", f"{web}/none", web).err.endswith(f"1 of 2 failed: {web}/none\n")


def test_tags_that_can_be_written_are_written_though_another_fails(said: Run, fixtures: Path) -> None:
    manifest = (fixtures / "valid/oci-manifest.json").read_bytes()
    image = "Content-Type: application/vnd.oci.image.manifest.v1+json"
    denied = {"2"}

    def registry(heard: Heard) -> bytes:
        if heard.method == "PUT":
            refused = heard.target.rpartition("/")[2] in denied
            return answer(b"", "403 Forbidden" if refused else "201 Created", "Connection: close")
        length = len(manifest)
        return answer(b"" if heard.method == "HEAD" else manifest, "200 OK", image, length=length)

    with answering(registry) as server:
        source = f"localhost:{server.server.port}/acme/web:1.4"
        some = said("tag", source, "1", "2", "3", "--anonymous")
        denied |= {"1", "3"}
        none = said("tag", source, "1", "2", "3", "--anonymous")
        one = said("tag", source, "2", "--anonymous")
        sent = len(server.heard)
        invalid = said("tag", source, "1", "not a tag", "--anonymous")

    assert (some.code, len(some.lines), some.out[:7]) == (1, 1, "sha256:")
    assert some.err.splitlines()[-1] == "dreg: 1 of 3 tags failed: 2"
    assert len(some.err.splitlines()) == 2
    assert (none.code, none.out) == (3, "")
    assert none.err.splitlines()[-1] == "dreg: 3 of 3 tags failed: 1, 2, 3"
    assert (one.code, len(one.err.splitlines())) == (3, 1)
    assert (invalid.code, len(server.heard)) == (2, sent), "nothing is written if one tag is not valid"
