"""What each rule did with each tag, in sentences."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Note:
    """A sentence after those before it. Tags with the same history share it, so that many tags need little memory."""

    before: "_Note | None"
    text: str


class Trace:
    """What each rule did with each tag.

    Examples:
        >>> trace = Trace()
        >>> trace.start("keep v*")
        >>> trace.note("v1", "kept")
        >>> trace.of("v1"), trace.of("v2")
        (('rule 1 (keep v*): kept',), ())
    """

    def __init__(self) -> None:
        self._rules = 0
        self._rule = ""
        self._notes: dict[str, _Note] = {}
        self._shared: dict[tuple[int, str], _Note] = {}

    def start(self, rule: str) -> None:
        """Begin a rule, whose number counts from 1."""
        self._rules += 1
        self._rule = f"rule {self._rules} ({rule})"

    def conclude(self) -> None:
        """Begin the sentences about the plan, after those about rules."""
        self._rule = "plan"

    def end(self) -> None:
        """End the last rule: what follows is no rule's."""
        self._rule = ""

    def note(self, tag: str, sentence: str) -> None:
        """Record what the rule does with a tag."""
        before = self._notes.get(tag)
        key = id(before), f"{self._rule}: {sentence}" if self._rule else sentence
        note = self._shared.get(key)
        if note is None:
            note = self._shared[key] = _Note(before, key[1])
        self._notes[tag] = note

    @property
    def names(self) -> tuple[str, ...]:
        """The tags that there are sentences about."""
        return tuple(self._notes)

    def of(self, tag: str) -> tuple[str, ...]:
        """Return the sentences about a tag, in the order of the rules."""
        found: list[str] = []
        note = self._notes.get(tag)
        while note is not None:
            found.append(note.text)
            note = note.before
        return tuple(reversed(found))
