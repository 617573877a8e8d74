"""The URL of an unfinished upload, kept so that another process can go on with it."""

from dreg_client.values.digest import Digest


class KeptUpload:
    """The URL of one unfinished upload."""

    def __init__(self, registry: str, repository: str, digest: Digest) -> None:
        self._registry, self._repository, self._digest = registry, repository, digest
