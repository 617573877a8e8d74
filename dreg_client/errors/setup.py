"""Errors of the environment that the library runs in."""

from dataclasses import dataclass

from dreg_client.errors.root import DregError


@dataclass(eq=False, repr=False)
class MissingLibraryError(DregError):
    """An optional library is required by an option and is not installed.

    Attributes:
        library: The library.
        extra: The extra of dreg-client that installs it.
    """

    library: str
    extra: str

    def _sentence(self) -> str:
        return f"{self.library} is not installed; add it by: pip install 'dreg-client[{self.extra}]'"


@dataclass(eq=False, repr=False)
class WorkerKilledError(DregError):
    """A worker process was killed, for example because memory ran out.

    Attributes:
        path: The file that the process was validating.
        reason: What happened and what to do.
    """

    path: str
    reason: str

    def _sentence(self) -> str:
        return f"{self.path}: {self.reason}"
