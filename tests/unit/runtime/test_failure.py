"""A failure in the child is told to the user."""

from __future__ import annotations

import errno

from orchestra.runtime.failure import (
    MAX_FRAME,
    Failure,
    StepFailed,
    decode,
    encode,
    failure_of,
    launch_failed,
)


def test_a_failure_survives_the_channel() -> None:
    failure = Failure(126, "mount /x", errno.EPERM, "/x", "text", "fix")
    assert decode(encode(failure)) == failure


def test_a_long_failure_fits_the_frame() -> None:
    failure = Failure(125, "mount", 0, "ä" * 100_000, "\udcff" * 100_000)
    frame = encode(failure)
    assert len(frame) <= MAX_FRAME
    assert decode(frame).step == "mount"


def test_an_os_error_names_step_path_and_reason() -> None:
    failure = failure_of(OSError(errno.ENODEV, "mount: No such device", "/x"), "build the root")
    text = str(launch_failed("web-1", failure))
    assert text.startswith(
        "container web-1: cannot build the root (/x): mount: No such device\n  fix: "
    )


def test_a_step_may_choose_its_exit_code() -> None:
    failure = failure_of(StepFailed(Failure(127, "execute", 0, "", "not there")), "ignored")
    assert launch_failed("web-1", failure).exit_code == 127


def test_any_other_exception_is_a_failure_before_exec() -> None:
    assert launch_failed("web-1", failure_of(ValueError("odd"), "think")).exit_code == 125
