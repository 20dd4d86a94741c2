"""What a signal does to a study."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from cbablate.errors import Interrupted
from cbablate.running.signals import stoppable


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 75), (signal.SIGHUP, 75)]
)
def test_a_signal_ends_it_with_its_exit_code_and_handlers_are_put_back(
    number: signal.Signals, code: int
) -> None:
    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    with pytest.raises(Interrupted, match=number.name) as stopped, stoppable():
        os.kill(os.getpid(), number)
        signal.pause()
    assert stopped.value.exit_code == code
    assert {name: signal.getsignal(name) for name in before} == before


def test_no_library_can_take_a_signal_for_an_error_of_its_own() -> None:
    with pytest.raises(Interrupted), stoppable():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        except Exception:  # noqa: BLE001 - what a careless library does
            pytest.fail("the signal was caught as an Exception")


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    ran: list[bool] = []

    def work() -> None:
        with stoppable():
            ran.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ran == [True]
