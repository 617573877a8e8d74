"""Scripts that fork, each run in a process of its own: `python forking.py NAME KIND URL CA_FILE ...`.

They fork while a client has connections, or while one of its threads holds a lock.
"""

import asyncio
import hashlib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dreg_client import AsyncRegistry, Credentials, Registry
from dreg_client.protocol import turns

LIMIT = 20
"""The seconds after which a child that waits for its parent is ended."""


class Script:
    """What the scripts need: a registry, and a way to ask it."""

    def __init__(self, kind: str, url: str, ca_file: str, **options: Any) -> None:
        self._kind = kind
        opener: Any = AsyncRegistry if kind == "tasks" else Registry
        self.web = opener(url, ca_file=ca_file, retries=0, **options).repository("acme/web")

    def ask(self, name: str, *arguments: object) -> Any:
        """Call a method of the repository."""

        async def by_tasks() -> Any:
            return await getattr(self.web, name)(*arguments)

        return asyncio.run(by_tasks()) if self._kind == "tasks" else getattr(self.web, name)(*arguments)

    def is_right(self, pair: str) -> bool:
        """Whether a tag has the digest that `TAG=DIGEST` says."""
        tag, _, digest = pair.partition("=")
        return str(self.ask("resolve", tag).digest) == digest


def child(run: Callable[[], bool]) -> int:
    """Fork; the child exits with 0 if its function returns True in time."""
    process = os.fork()
    if process == 0:
        signal.alarm(LIMIT)
        code = 1
        try:
            code = 0 if run() else 2
        finally:
            os._exit(code)
    return process


def end(*processes: int) -> None:
    """Wait for children, which must have succeeded."""
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
    assert not any(codes), f"children ended with {codes}"


def fifty(kind: str, url: str, ca_file: str, *pairs: str) -> None:
    """Fork for each tag, while the parent asks for all of them."""
    script = Script(kind, url, ca_file)
    assert script.is_right(pairs[0])
    children = [child(lambda pair=pair: script.is_right(pair)) for pair in pairs]  # type: ignore[misc]
    assert all(map(script.is_right, pairs))
    end(*children)


def alternately(kind: str, url: str, ca_file: str, *pairs: str) -> None:
    """Ask for half of the tags in the parent, and for the others in the child."""
    script = Script(kind, url, ca_file)
    assert script.is_right(pairs[0])
    process = child(lambda: all(map(script.is_right, pairs[::2])))
    assert all(map(script.is_right, pairs[1::2]))
    end(process)


def reading(kind: str, url: str, ca_file: str, digest: str) -> None:
    """Fork while a blob is read; both read it to its end."""
    script = Script(kind, url, ca_file)
    with script.web.stream_blob(digest) as blob:
        chunks = iter(blob)
        first = next(chunks)

        def is_whole() -> bool:
            return "sha256:" + hashlib.sha256(first + b"".join(chunks)).hexdigest() == digest

        end(child(is_whole))
        assert is_whole()


def waiting(kind: str, url: str, ca_file: str, password: str) -> None:
    """Fork while a thread waits for a token, or for `/v2/`."""
    script = Script(kind, url, ca_file, credentials=("ada", password))
    threading.Thread(target=script.ask, args=("tags",), daemon=True).start()
    while not turns._entered:
        pass
    end(child(lambda: script.ask("tags") == ("1.4",)))
    os._exit(0)


def helped(kind: str, url: str, ca_file: str, auth: str, begun: str, programs: str) -> None:
    """Fork while a credential helper runs."""
    del kind, url, ca_file
    os.environ["PATH"] = f"{programs}:{os.environ['PATH']}"
    credentials = Credentials(auth)
    threading.Thread(target=credentials.find, args=("slow.test",), daemon=True).start()
    while not Path(begun).exists():
        pass
    end(child(lambda: getattr(credentials.find("own.test").credential, "username", "") == "ada"))
    os._exit(0)


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)  # since Python 3.12, of a fork in a process with threads
    globals()[sys.argv[1]](*sys.argv[2:])
