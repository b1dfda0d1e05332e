"""The supervisor's signals: remembered, and able to wake whoever waits."""

import contextlib
import os
import signal
from types import FrameType

_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """Blocks the signals that matter when made, so that no fork is interrupted half-way.

    `stop_signal` is the first request to stop; `insisted` says that Ctrl-C came twice.
    """

    def __init__(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, (*_STOP, signal.SIGCHLD))
        self.wakeup_fd, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.stop_signal: int | None = None
        self.insisted = False

    def listen(self) -> None:
        """Take the signals from now on, those that were blocked first."""
        for number in _STOP:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup means it
                signal.signal(number, self._remember)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (*_STOP, signal.SIGCHLD))

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        if self.stop_signal is None:
            self.stop_signal = number
        elif number == signal.SIGINT:
            self.insisted = True

    def wake(self) -> None:
        """Wake whoever waits on `wakeup_fd`; callable from any thread."""
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self._write, b".")

    def drain(self) -> None:
        """Empty the wake-up pipe."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.wakeup_fd, 4096)
