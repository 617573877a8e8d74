"""Turns: one at a time, whatever becomes of those that wait."""

import os

from dreg_client.protocol.turns import Turn


def test_a_turn_begins_once_the_one_before_it_ends() -> None:
    first, second = Turn("a"), Turn("a")

    assert (first.before.done(), second.before.done()) == (True, False)
    first.end()
    assert second.before.done()
    second.end()


def test_other_keys_have_other_turns() -> None:
    first, other = Turn("a"), Turn("b")

    assert other.before.done()
    first.end()
    other.end()


def test_a_turn_that_is_given_up_lets_nobody_pass_the_one_before_it() -> None:
    first, second, third = Turn("a"), Turn("a"), Turn("a")

    second.end()
    assert not third.before.done()
    assert not Turn("a").before.done()
    first.end()
    assert third.before.done()
    third.end()


def test_a_turn_that_an_interrupt_drops_ends() -> None:
    first, second = Turn("a"), Turn("a")

    del first
    assert second.before.done()
    second.end()


def test_a_turn_may_end_twice() -> None:
    first, second = Turn("a"), Turn("a")

    first.end()
    first.end()
    assert second.before.done()
    second.end()
    assert Turn("a").before.done()


def test_a_forked_process_waits_for_no_turn_of_its_parent() -> None:
    first = Turn("a")
    child = os.fork()
    if child == 0:
        os._exit(0 if Turn("a").before.done() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    first.end()
