from __future__ import annotations

import os
import select
import signal

from orchestra.runtime.signalpipe import SignalPipe


def test_a_signal_is_something_to_read_and_nothing_else() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with SignalPipe() as pipe:
        assert pipe.read() == b""
        os.kill(os.getpid(), signal.SIGTERM)
        assert select.select([pipe], [], [], 5)[0]
        assert pipe.read() == bytes((signal.SIGTERM,))
        assert pipe.read() == b""
    assert signal.getsignal(signal.SIGTERM) is before
