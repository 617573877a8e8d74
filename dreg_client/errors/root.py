"""The root of all errors."""


class DregError(Exception):
    """The root of all errors of this library.

    Attributes:
        retryable: Whether the same call may succeed when it is made again.
    """

    retryable: bool = False

    def _sentence(self) -> str:
        return " ".join(str(fact) for fact in self.args)

    def __str__(self) -> str:
        return self._sentence()
