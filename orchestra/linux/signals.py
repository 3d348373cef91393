"""Signal dispositions, for a forked child that is about to execute something."""

from __future__ import annotations

import ctypes
import signal

from orchestra.linux.libc import bind

_LAST_SIGNAL = 64
_signal = bind("signal", ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


def reset_dispositions() -> None:
    """SIG_DFL for every signal, also those that Python ignores: SIGPIPE and SIGXFSZ. signal(7).

    An ignored signal would stay ignored across execve. Python is not told, so nothing but sigwait
    may deal with signals afterwards; `signal.signal` would take ten times as long. What Python
    knows to be SIG_DFL already, which is nearly all, needs no call.
    """
    for number in range(1, _LAST_SIGNAL + 1):
        if signal.getsignal(number) is not signal.SIG_DFL:
            _signal(number, None)  # refuses those that libc keeps for itself
