"""A process that moves and deletes tags of a repository or layout until its standard input ends: STORE LOG SEED.

It writes a line to the log before and after each change: the time, the tag, and what the tag names from then on.
"""

import json
import select
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

from dreg_client import Layout, Registry, errors


def main(store: str, log: str, seed: str) -> None:
    """Change tags."""
    if store.startswith("oci:"):
        with Layout(store.removeprefix("oci:")) as layout:
            meddle(layout, Path(log), Random(seed))  # noqa: S311 (any tags will do)
        return
    host, _, name = store.partition("/")
    with Registry(host) as registry:
        meddle(registry.repository(name), Path(log), Random(seed))  # noqa: S311 (any tags will do)


def meddle(repository: Any, log: Path, random: Random) -> None:
    """Change tags, one after the other."""
    tags = [tag for tag in repository.tags() if not tag.startswith("own-")]
    own = [tag for tag in repository.tags() if tag.startswith("own-")]
    images = {tag: repository.get_image(tag).manifest for tag in [*own, *random.sample(tags, 20)]}
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    with log.open("w") as file:
        while not select.select([sys.stdin], [], [], 0)[0]:
            tag = random.choice(tags)
            other = None if random.random() < 0.2 else images[random.choice([*images])]
            number = time.monotonic()
            say(file, "begin", number, tag, other and other.digest)
            try:
                if other is None:
                    repository.untag(tag)
                else:
                    repository.put_manifest(other, tag)
            except errors.NotFoundError:
                say(file, "not there", number, tag, None)
            except errors.DregError as failure:
                say(file, f"failed: {failure}", number, tag, None)
            else:
                say(file, "end", number, tag, other and other.digest)


def say(file: Any, what: str, number: float, tag: str, digest: str | None) -> None:
    """Write a line."""
    file.write(json.dumps([what, number, time.monotonic(), tag, digest]) + "\n")
    file.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
