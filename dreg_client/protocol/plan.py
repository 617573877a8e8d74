"""Plans: logic as a generator that yields questions and is sent answers, so that it runs alike on any medium."""

from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import TypeVar

Question = TypeVar("Question")
Given = TypeVar("Given")
Result = TypeVar("Result")


def run(plan: Generator[Question, Given, Result], answer: Callable[[Question], Given]) -> Result:
    """Drive a plan to its end.

    Args:
        plan: Yields questions; what it returns is the result.
        answer: Answers one question. What it raises is raised inside the plan, at the question.

    Examples:
        >>> def greeting():
        ...     return f"hello {(yield 'name')}"
        >>> run(greeting(), {"name": "world"}.__getitem__)
        'hello world'
    """
    step: Callable[[], Question] = partial(next, plan)
    try:
        while True:
            try:
                question = step()
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            try:
                given = answer(question)
            except Exception as failure:  # noqa: BLE001 (the plan decides; it raises what it does not catch)
                step = partial(plan.throw, failure)
            else:
                step = partial(plan.send, given)
    finally:
        plan.close()  # whatever ends us, an interrupt too: what the plan holds is let go


async def arun(plan: Generator[Question, Given, Result], answer: Callable[[Question], Awaitable[Given]]) -> Result:
    """Drive a plan to its end where answers are awaited; the twin of `run`."""
    step: Callable[[], Question] = partial(next, plan)
    try:
        while True:
            try:
                question = step()
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            try:
                given = await answer(question)
            except Exception as failure:  # noqa: BLE001 (the plan decides; it raises what it does not catch)
                step = partial(plan.throw, failure)
            else:
                step = partial(plan.send, given)
    finally:
        plan.close()
