"""Stages at the same time, and builds that end early: what must not be left."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import IO, TYPE_CHECKING

import pytest

from tests.support.building import build, file_in, write
from tests.support.eventually import eventually
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]


def is_gone(command: str) -> bool:
    found = subprocess.run(["pgrep", "-f", command], capture_output=True, check=False)
    return found.returncode == 1


def test_stages_that_do_not_need_each_other_run_at_the_same_time(orchestra: Orchestra) -> None:
    """Each waits, in a cache that both share, for what the other one writes."""
    wait = "for i in $(seq 300); do test -e /c/{0} && break; sleep 0.1; done; test -e /c/{0}"
    mount = "--mount=type=cache,target=/c"
    write(
        orchestra,
        "Dockerfile",
        f"FROM host AS one\nRUN {mount} touch /c/one; {wait.format('two')} && echo 1 > /1\n"
        f"FROM host AS two\nRUN {mount} touch /c/two; {wait.format('one')} && echo 2 > /2\n"
        "FROM host\nCOPY --from=one /1 /both/\nCOPY --from=two /2 /both/\n",
    )
    assert build(orchestra, "-t", "both")[2:] == [("COPY", "done"), ("COPY", "done")]
    assert file_in(orchestra, "both", "cat /both/1 /both/2") == "1\n2\n"
    assert {status for _, status in build(orchestra)} == {"cached"}


def test_a_failing_stage_cancels_the_others(orchestra: Orchestra) -> None:
    mount = "RUN --mount=type=cache,target=/c"
    write(
        orchestra,
        "Dockerfile",
        f"FROM host AS one\n{mount} touch /c/one; exec sleep 4243\n"
        f"FROM host AS two\n{mount} until test -e /c/one; do sleep 0.1; done; echo why; exit 7\n"
        "FROM host\nCOPY --from=one / /1\nCOPY --from=two / /2\n",
    )
    failed = orchestra("image", "build", "--progress", "plain", "-t", "broken", ".", code=17)
    assert "[one 2/2]" in failed.err
    assert "CANCELED" in failed.err
    assert "exit code 7" in failed.err
    assert is_gone("^sleep 4243")
    assert "broken" not in orchestra("image", "ls").out
    assert os.listdir(os.path.join(orchestra.env["ORCHESTRA_DATA_ROOT"], "build", "work")) == []


def building(orchestra: Orchestra, name: str, *words: str) -> tuple[subprocess.Popen[str], IO[str]]:
    """A build of the image *name*, and what more it says, once its steps have printed *words*.

    It has a session of its own.
    """
    running = subprocess.Popen(
        [PROGRAM, "image", "build", "--progress", "plain", "-t", name, "."],
        cwd=orchestra.directory,
        env=orchestra.env,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stderr is not None
    awaited = set(words)
    for line in running.stderr:
        awaited -= set(line.split()[-1:])
        if not awaited:
            break
    return running, running.stderr


def test_a_killed_build_leaves_no_process_and_no_image(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nRUN echo started; exec sleep 4242\n")
    running, output = building(orchestra, "killed", "started")
    running.send_signal(signal.SIGKILL)
    running.wait(timeout=10)
    output.close()

    eventually(lambda: is_gone("^sleep 4242"), within_s=5)
    assert "killed" not in orchestra("image", "ls").out
    write(orchestra, "Dockerfile", "FROM host\nRUN true\n")
    orchestra("image", "build", "-q", "-t", "next", ".")
    work = os.path.join(orchestra.env["ORCHESTRA_DATA_ROOT"], "build", "work")
    assert os.listdir(work) == []


def test_a_kill_in_the_middle_of_parallel_stages_leaves_nothing(orchestra: Orchestra) -> None:
    """No image, no process, no mount; what was finished before it need not run again."""
    write(
        orchestra,
        "Dockerfile",
        "FROM host AS one\nRUN echo finished > /f\nRUN echo started-1; exec sleep 4245\n"
        "FROM host AS two\nRUN echo started-2; exec sleep 4245\n"
        "FROM host\nCOPY --from=one / /1\nCOPY --from=two / /2\n",
    )
    running, output = building(orchestra, "killed", "started-1", "started-2")
    running.send_signal(signal.SIGKILL)
    running.wait(timeout=10)
    output.close()
    eventually(lambda: is_gone("^sleep 4245"), within_s=5)
    eventually(lambda: is_gone("image build --progress plain -t killed"), within_s=5)
    data = orchestra.env["ORCHESTRA_DATA_ROOT"]
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        assert f"{data}/build" not in mounts.read()
    assert "killed" not in orchestra("image", "ls").out
    write(orchestra, "Dockerfile", "FROM host\nRUN echo finished > /f\n")
    assert build(orchestra) == [("RUN", "cached")]
    assert os.listdir(os.path.join(data, "build", "work")) == []


def test_ctrl_c_ends_every_stage_and_leaves_nothing(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "Dockerfile",
        "FROM host AS one\nRUN echo started-1; exec sleep 4244\n"
        "FROM host AS two\nRUN echo started-2; exec sleep 4244\n"
        "FROM host\nCOPY --from=one / /1\nCOPY --from=two / /2\n",
    )
    running, output = building(orchestra, "ended", "started-1", "started-2")
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    rest = output.read()
    assert running.wait(timeout=20) == 130
    output.close()
    assert "Traceback" not in rest
    assert is_gone("^sleep 4244")
    assert "ended" not in orchestra("image", "ls").out
    assert os.listdir(os.path.join(orchestra.env["ORCHESTRA_DATA_ROOT"], "build", "work")) == []


def test_sigterm_ends_a_build_as_ctrl_c_does(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nRUN echo begun; sleep 98766\n")
    argv = [PROGRAM, "image", "build", "--progress", "plain", "-t", "never", "."]
    with subprocess.Popen(
        argv, cwd=orchestra.directory, env=orchestra.env, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.endswith("begun\n"):
                break
        running.send_signal(signal.SIGTERM)
        rest = running.stderr.read()
        assert running.wait(30) == 130, rest
    eventually(lambda: is_gone("sleep 98766"), within_s=10)
    assert "#2 CANCELED" in rest
    assert orchestra("image", "ls", "-q").out == ""
