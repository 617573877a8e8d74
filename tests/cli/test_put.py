"""`dreg blob put` and `dreg manifest put`: what they say if something is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.registries import RunningRegistry

Run = Callable[..., Any]
MANIFEST = Path("fixtures/valid/oci-manifest.json").resolve()
BROKEN = Path("fixtures/broken/DSC-03-size-is-text.json").resolve()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (
            ["blob", "put", "oci:web", "{manifest}"],
            8,
            "oci:web is not in a registry; to write to a layout or an archive",
        ),
        (["blob", "put", "{host}/acme/web:1.4", "{manifest}"], 2, "write the repository without a tag or digest"),
        (["blob", "put", "{host}/acme/web", "absent"], 2, "'absent' does not exist"),
        (["manifest", "put", "oci:web:1.4", "{manifest}"], 8, "oci:web:1.4 is not in a registry"),
        (
            ["manifest", "put", "{host}/acme/web:new", "{broken}"],
            1,
            f"{BROKEN}: not a valid oci-manifest: $.layers[0].size",
        ),
        (["manifest", "put", "{host}/acme/web:new", "-"], 1, "standard input: not a valid document"),
        (["manifest", "put", "{host}/acme/web:new", "{manifest}"], 6, "with dreg blob put and dreg manifest put"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else None,
)
def test_errors_say_what_to_do(
    dreg: Run, own_registry: RunningRegistry, arguments: list[str], code: int, told: str
) -> None:
    names = {"host": own_registry.address, "manifest": MANIFEST, "broken": BROKEN}

    done = dreg(*(it.format_map(names) for it in arguments))

    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert done.err.count("\n") == 1
