import threading
import time

import pytest

from cronops.contract.bounded import Bounded, run_bounded


def test_a_call_that_returns_gives_its_result():
    (call,) = run_bounded([lambda: 7], 30)
    assert call.is_over
    assert call.result == 7


def test_a_call_that_raises_gives_its_error():
    def fail():
        raise SystemExit("no")

    (call,) = run_bounded([fail], 30)
    assert call.is_over
    assert isinstance(call.error, SystemExit)
    with pytest.raises(SystemExit):
        _ = call.result


def test_a_call_that_hangs_is_left_behind_while_others_end():
    release = threading.Event()
    hanging, quick = run_bounded([lambda: release.wait(60), lambda: True], 0.05)
    assert not hanging.is_over
    quick.wait(time.monotonic() + 30)
    assert quick.result
    release.set()
    hanging.wait(time.monotonic() + 30)
    assert hanging.is_over


def test_a_thread_left_behind_does_not_hold_up_the_process():
    release = threading.Event()
    call = Bounded(lambda: release.wait(60))
    assert call._thread.daemon
    release.set()
