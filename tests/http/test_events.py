"""What `on_event` is told, and what becomes of what it raises."""

import logging
from pathlib import Path
from typing import Any

import pytest

from dreg_client import AsyncRegistry, Registry
from dreg_client.files.partial_file import kept_part
from dreg_client.protocol.events import Received
from tests.doors import Door, repository
from tests.http.documents import LAYER, LAYER_DIGEST, image, served

LEFT = 5


@pytest.mark.parametrize("ranges", [True, False], ids=["by range", "all of it"])
def test_bytes_that_an_earlier_call_left_count_as_progress(door: Door, tmp_path: Path, ranges: bool) -> None:
    kept_part(tmp_path / "layer", LAYER_DIGEST).write_bytes(LAYER[:LEFT])
    told: list[Any] = []

    def registry(request: Any) -> Any:
        if not ranges:
            return served(LAYER)
        assert request.headers["range"] == f"bytes={LEFT}-"
        part = f"bytes {LEFT}-{len(LAYER) - 1}/{len(LAYER)}"
        return 206, {"Content-Range": part, "Content-Length": str(len(LAYER) - LEFT)}, LAYER[LEFT:]

    def download(registry: Any) -> Any:
        return repository(registry).download_blob(LAYER_DIGEST, tmp_path / "layer", resume=True)

    door.run(registry, download, on_event=told.append)
    received = [event for event in told if isinstance(event, Received)]
    assert received[-1].so_far == received[-1].total == len(LAYER)
    assert sum(event.octets for event in received) == len(LAYER) - LEFT


def test_what_on_event_raises_is_told_once_and_changes_nothing(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    called: list[object] = []

    def fails(event: object) -> None:
        called.append(event)
        raise ZeroDivisionError("mine")

    async def by_task(registry: Any) -> Any:
        await repository(registry).get_manifest("1.4")
        return await repository(registry).get_manifest("1.4")

    def by_thread(registry: Any) -> Any:
        repository(registry).get_manifest("1.4")
        return repository(registry).get_manifest("1.4")

    caplog.set_level(logging.WARNING)
    with pytest.warns(RuntimeWarning, match="on_event raised ZeroDivisionError: mine") as warned:
        assert door.run(image, by_task if door.is_async else by_thread, on_event=fails)
    assert len(warned) == 1
    assert len(called) == 2
    [logged] = [record for record in caplog.records if "on_event raised" in record.getMessage()]
    assert logged.exc_info


@pytest.mark.filterwarnings("error")
def test_where_warnings_are_errors_it_still_changes_nothing(door: Door) -> None:
    def fails(event: object) -> None:
        raise ZeroDivisionError

    assert door.run(image, lambda registry: repository(registry).get_manifest("1.4"), on_event=fails)


@pytest.mark.parametrize("kind", [Registry, AsyncRegistry])
def test_what_cannot_be_called_hears_nothing(kind: Any) -> None:
    with pytest.raises(TypeError, match="on_event= takes a function that accepts an event, not list"):
        kind("https://registry.example", on_event=[])
