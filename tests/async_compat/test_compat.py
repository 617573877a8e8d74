"""The pair of `_compat` modules: one scene, played by tasks of asyncio, by tasks of trio, and by threads."""

import inspect
import threading
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import pytest

from dreg_client._async import _compat as tasks_compat
from dreg_client._sync import _compat as threads_compat
from tests.async_compat import scenes
from tests.tools import tool

BY_THREADS = ModuleType("scenes_by_threads")
exec(tool("sync_translation").translate(Path(scenes.__file__).read_text("utf-8"), {}), vars(BY_THREADS))  # noqa: S102 (ours)

SCENES = [
    name
    for name, scene in vars(scenes).items()
    if inspect.iscoroutinefunction(scene)
    and scene.__module__ == scenes.__name__
    and not inspect.signature(scene).parameters
]


@pytest.fixture(params=["asyncio", "trio", "threads"])
def play(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    if request.param == "threads":
        return lambda name: getattr(BY_THREADS, name)()
    return lambda name: anyio.run(getattr(scenes, name), backend=request.param)


@pytest.mark.parametrize("scene", SCENES)
def test_the_same_holds_for_tasks_and_threads(play: Callable[[str], Any], scene: str) -> None:
    before = threading.active_count()

    play(scene)

    assert [thread for thread in threading.enumerate() if thread.name == "dreg-group"] == []
    assert threading.active_count() <= before + 1, "one that asyncio keeps for lookups"


def defined_by(module: ModuleType) -> set[str]:
    """The public names of what a module defines itself."""
    return {
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")
    }


def test_both_modules_have_the_same_names_with_the_same_parameters() -> None:
    assert defined_by(tasks_compat) <= vars(threads_compat).keys()
    assert defined_by(threads_compat) <= vars(tasks_compat).keys()
    for name in (
        "Semaphore.acquire",
        "TaskGroup.start_soon",
        "getaddrinfo",
        "maybe_await",
        "run_cancellable",
        "run_shielded",
    ):
        ours, its = (attrgetter(name)(module) for module in (tasks_compat, threads_compat))
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(its).parameters), name
