"""Other tools, each with a home of its own, so that nothing of this machine's user is read or changed."""

import os
from dataclasses import dataclass
from pathlib import Path

from tests.commands import run_limited


@dataclass
class Tools:
    """The tools.

    Attributes:
        home: Their home, in which podman keeps its images.
    """

    home: Path

    def run(self, *command: str | Path) -> bytes:
        """The output of a command, which must succeed."""
        done = run_limited([*map(str, command)], capture_output=True, check=False, env=self.environment)
        assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr.decode()}"
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.home)}

    def skopeo(self, command: str, *arguments: str | Path) -> bytes:
        """Run skopeo; it converts nothing."""
        flags = {
            "copy": ["--quiet", "--all", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"],
            "inspect": ["--tls-verify=false"],
        }
        return self.run("skopeo", "--insecure-policy", command, *flags[command], *arguments)

    def raw(self, name: str) -> bytes:
        """The bytes of a manifest, as skopeo reads them."""
        return self.skopeo("inspect", "--raw", name)

    def podman(self, *arguments: str | Path) -> bytes:
        """Run podman, with images of its own; it starts no container."""
        places = ["--root", self.home / "images", "--runroot", self.home / "run", "--tmpdir", self.home / "tmp"]
        how = ["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file"]
        return self.run("podman", *places, *how, *arguments)

    def image_id(self, name: str) -> str:
        """The digest of the config of an image in podman's store."""
        found = self.podman("image", "inspect", "--format", "{{.Id}}", name).decode().strip()
        return f"sha256:{found.removeprefix('sha256:')}"
