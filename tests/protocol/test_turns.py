"""Turns: one at a time, whatever becomes of those that wait."""

import os
from contextlib import ExitStack

from dreg_client.protocol.turns import Turn


def test_a_turn_begins_once_the_one_before_it_ends() -> None:
    with ExitStack() as first, ExitStack() as second:
        before_first, before_second = first.enter_context(Turn("a")), second.enter_context(Turn("a"))

        assert (before_first.done(), before_second.done()) == (True, False)
        first.close()
        assert before_second.done()


def test_other_keys_have_other_turns() -> None:
    with Turn("a"), Turn("b") as before:
        assert before.done()


def test_a_turn_that_is_given_up_lets_nobody_pass_the_one_before_it() -> None:
    with ExitStack() as first, ExitStack() as second, ExitStack() as third:
        first.enter_context(Turn("a"))
        second.enter_context(Turn("a"))
        before_third = third.enter_context(Turn("a"))

        second.close()
        assert not before_third.done()
        with Turn("a") as before:
            assert not before.done()
        first.close()
        assert before_third.done()


def test_a_turn_that_an_interrupt_drops_ends() -> None:
    first = Turn("a")
    first.__enter__()
    with Turn("a") as before:
        del first
        assert before.done()


def test_a_turn_that_was_not_entered_holds_nothing_up() -> None:
    first = Turn("a")
    with Turn("a") as before:
        assert before.done()
        del first


def test_a_turn_may_end_twice() -> None:
    first = Turn("a")
    with first:
        pass
    first.__exit__()
    with Turn("a") as before:
        assert before.done()


def test_a_forked_process_waits_for_no_turn_of_its_parent() -> None:
    with Turn("a"):
        child = os.fork()
        if child == 0:
            os._exit(0 if Turn("a").__enter__().done() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
