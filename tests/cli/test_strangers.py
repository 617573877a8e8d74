"""What strangers wrote never steers a terminal (CLI-01): it is spelled out for people, escaped for programs."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
HOSTILE = {
    "ansi": "\x1b[31mred\x1b[0m",
    "osc": "\x1b]0;title\x07\x1b]8;;http://x.example\x1b\\",
    "carriage return": "good\rbad",
    "line feed": "one\nError: two",
    "backspace": "abc\b\b\bxyz",
    "delete": "a\x7fb",
    "c1": "\x9b31m\x9d0;t\x9c",
    "bidi": "exe.\u202etxt\u2066a\u2069",
    "line separator": "a\u2028b\u2029c",
}


class Workshop:
    """Writes a layout by hand."""

    def __init__(self, path: Path, *, escaped: bool = True) -> None:
        self.path, self.escaped = path, escaped
        (path / "blobs/sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def put(self, media_type: str, document: object, **members: object) -> dict[str, object]:
        raw = json.dumps(document, ensure_ascii=self.escaped).encode()
        encoded = sha256(raw).hexdigest()
        (self.path / "blobs/sha256" / encoded).write_bytes(raw)
        return {"mediaType": media_type, "digest": f"sha256:{encoded}", "size": len(raw), **members}

    def image(self, text: str) -> dict[str, object]:
        """An image that has a text wherever a text may stand."""
        layer = self.put("application/vnd.oci.image.layer.v1.tar", text, annotations={text: text})
        run = {
            "User": text,
            "Env": [f"A={text}"],
            "Entrypoint": [text],
            "Cmd": [text, text],
            "WorkingDir": text,
            "Labels": {text: text, "b": text},
            "Volumes": {text: {}},
            "ExposedPorts": {text: {}},
        }
        config = {
            "os": "linux",
            "architecture": "amd64",
            "variant": text,
            "os.version": text,
            "author": text,
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
            "history": [{"created_by": text, "comment": text}, {"created_by": f"RUN {text}", "empty_layer": True}],
            "config": run,
        }
        manifest = {
            "schemaVersion": 2,
            "config": self.put("application/vnd.oci.image.config.v1+json", config),
            "layers": [layer],
            "annotations": {text: text, "b": text},
        }
        return self.put("application/vnd.oci.image.manifest.v1+json", manifest)

    def index(self, *entries: dict[str, object]) -> None:
        document = {"schemaVersion": 2, "manifests": entries}
        (self.path / "index.json").write_text(json.dumps(document))


@pytest.fixture(params=HOSTILE.values(), ids=list(HOSTILE))
def text(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def layout(tmp_path: Path, text: str) -> str:
    workshop = Workshop(tmp_path / "layout")
    named = {"annotations": {"org.opencontainers.image.ref.name": text}}
    workshop.index({**workshop.image(text), **named})
    return f"oci:{tmp_path}/layout"


def is_tame(shown: str) -> bool:
    return all(line.isprintable() for line in shown.split("\n"))


@pytest.mark.parametrize("command", ["tags", "inspect", "history", "platforms", "resolve", "validate"])
def test_a_text_is_spelled_out_for_people(said: Run, layout: str, text: str, command: str) -> None:
    done = said(command, layout)

    assert done.code == 0
    assert done.out
    assert is_tame(done.out + done.err)


def test_what_is_spelled_out_is_still_there(said: Run, layout: str, text: str) -> None:
    spelled = text.encode("unicode_escape").decode().replace("\\\\", "\\")  # a backslash is a picture of itself

    assert said("tags", layout).out == f"{spelled}\n"
    for row in ("author", "user", "directory"):
        assert any(line.split()[0] == row and spelled in line for line in said("inspect", layout).lines if line.strip())


@pytest.mark.parametrize("command", ["tags", "inspect", "history", "platforms", "validate"])
def test_a_text_is_escaped_for_programs(said: Run, layout: str, command: str) -> None:
    done = said(command, layout, "--format", "json")

    assert done.out.isascii()
    assert is_tame(done.out)
    assert json.loads(done.out)


def test_programs_get_the_text_itself(said: Run, layout: str, text: str) -> None:
    assert json.loads(said("tags", layout, "--format", "json").out)[0]["tags"] == [text]
    assert json.loads(said("inspect", layout, "--format", "json").out)[0]["images"][0]["author"] == text


def test_an_entry_is_asked_for_by_its_exact_name(said: Run, layout: str, text: str) -> None:
    assert said("resolve", layout, "--ref-name", text).code == 0
    assert is_tame(said("inspect", layout, "--ref-name", text).out)


@pytest.mark.parametrize(
    "arguments",
    [["resolve", "{}:9.9"], ["resolve", "{}", "--ref-name", "x{text}"], ["config", "{}", "--platform", "a{text}"]],
)
@pytest.mark.parametrize("options", [[], ["--debug"]])
def test_an_error_spells_it_out(said: Run, layout: str, text: str, arguments: list[str], options: list[str]) -> None:
    done = said(*options, *(word.replace("{text}", text).replace("{}", layout) for word in arguments))

    assert done.code in {2, 4}
    assert is_tame(done.err)
    assert options or done.err.count("\n") == 1


@pytest.mark.parametrize("options", [[], ["--format", "github"]])
def test_a_broken_document_is_told_of_without_its_characters(
    said: Run, tmp_path: Path, text: str, options: list[str]
) -> None:
    (tmp_path / "m.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": text, "layers": {}, text: text}))
    done = said("validate", "--pedantic", *options, tmp_path)

    assert done.code == 1
    assert is_tame(done.out)


@pytest.mark.parametrize("command", ["manifest", "config"])
def test_bytes_reach_a_pipe_as_they_are_and_a_terminal_spelled_out(
    said: Run, terminal: Run, tmp_path: Path, command: str
) -> None:
    workshop = Workshop(tmp_path, escaped=False)  # so that the characters stand in the bytes themselves
    workshop.index(workshop.image("\x7f\x9b31m\u202e"))

    assert "\x9b31m" in said(command, f"oci:{tmp_path}").out
    shown = terminal(command, f"oci:{tmp_path}").out
    assert is_tame(shown)
    assert "\\x9b31m\\u202e" in shown
