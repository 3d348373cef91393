"""Logs: drivers, rotation, both streams, bytes, and the flags that cut and dress them."""

from __future__ import annotations

import os
import re
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import states, write_compose
from tests.support.eventually import eventually
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

HEADER = """
name: logging
x-common: &common
  image: host
  network_mode: none
  stop_grace_period: 0s
"""


def log_files(orchestra: Orchestra) -> dict[str, int]:
    """Sizes of the files that hold output, by path."""
    found = {}
    for directory, _, names in os.walk(orchestra.env["ORCHESTRA_DATA_ROOT"]):
        for name in names:
            if "log" in os.path.relpath(directory, orchestra.env["ORCHESTRA_DATA_ROOT"]).split("/"):
                path = os.path.join(directory, name)
                found[path] = os.stat(path).st_size
    return found


@pytest.mark.parametrize("driver", ["json-file", "local"])
def test_rotation_by_size_and_count(orchestra: Orchestra, driver: str) -> None:
    write_compose(
        orchestra,
        HEADER
        + f"""
services:
  a:
    <<: *common
    command: [seq, -f, "line %06g of the output", "20000"]
    logging: {{driver: {driver}, options: {{max-size: 10k, max-file: "3"}}}}
""",
    )
    orchestra("up", "-d")
    orchestra("wait", "a", code=None)
    kept = orchestra("logs", "--no-log-prefix", "a").out.splitlines()
    assert kept[-1] == "line 020000 of the output"
    first = int(kept[0].split()[1])
    assert kept == [f"line {number:06} of the output" for number in range(first, 20001)]
    total = sum(len(line) + 1 for line in kept)
    assert 15_000 <= total <= 30_000
    output = [size for path, size in log_files(orchestra).items() if size > 4096]
    assert max(output) <= 10_000


def test_drivers(orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        HEADER
        + """
services:
  none: {<<: *common, command: [echo, hidden], logging: {driver: none}}
  local: {<<: *common, command: [echo, shown], logging: {driver: local}}
""",
    )
    orchestra("up", "-d")
    assert "hidden" not in orchestra("logs", "none", code=None).out
    assert orchestra("logs", "--no-log-prefix", "local").out == "shown\n"
    orchestra("down")
    write_compose(
        orchestra,
        f"{HEADER}\nservices: {{a: {{<<: *common, command: [x], logging: {{driver: gelf}}}}}}\n",
    )
    assert "gelf" in orchestra("up", "-d", code=1).err


def test_streams_bytes_and_partial_lines(orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        HEADER
        + r"""
services:
  order:
    <<: *common
    command: [sh, -c, 'for i in 1 2 3; do echo out$$i; sleep 0.1; echo err$$i >&2; sleep 0.1; done']
  binary: {<<: *common, command: [sh, -c, 'printf "\\000\\377\\033[31m\\r\\nend"']}
  long:
    <<: *common
    command: [sh, -c, 'head -c 100000 /dev/zero | tr "\\000" x; sleep 0.2; echo y']
""",
    )
    orchestra("up", "-d")
    orchestra("wait", "order", "binary", "long", code=None)
    plain = [PROGRAM, "logs", "--no-log-prefix"]

    def raw(*arguments: str) -> tuple[bytes, bytes]:
        done = subprocess.run(
            [*plain, *arguments], cwd=orchestra.directory, env=orchestra.env, capture_output=True,
            check=True,
        )  # fmt: skip
        return done.stdout, done.stderr

    mixed = orchestra("logs", "--no-color", "order").out + orchestra("logs", "order").err
    assert re.findall(r"(?:out|err)\d", mixed)[:6] == [
        "out1",
        "err1",
        "out2",
        "err2",
        "out3",
        "err3",
    ]
    assert raw("binary")[0] == b"\x00\xff\x1b[31m\r\nend" + b"\n" * raw("binary")[0].endswith(b"\n")
    assert raw("long")[0] == b"x" * 100_000 + b"y\n"
    assert orchestra("logs", "--no-log-prefix", "-n", "1", "long").out == "x" * 100_000 + "y\n"


def test_flags_cut_and_dress(orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        HEADER
        + """
services:
  a:
    <<: *common
    scale: 2
    command: [sh, -c, "echo one; sleep 0.3; echo two; sleep 0.3; echo three"]
""",
    )
    orchestra("up", "-d")
    orchestra("wait", "a", code=None)
    stamped = orchestra("logs", "-t", "--no-log-prefix", "--index", "1", "a").out.splitlines()
    moments = [line.split(" ")[0] for line in stamped]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", each) for each in moments)
    assert [line.split(" ")[1] for line in stamped] == ["one", "two", "three"]

    def cut(*flags: str) -> list[str]:
        return orchestra("logs", "--no-log-prefix", "--index", "1", *flags, "a").out.split()

    assert cut("--since", moments[2]) == ["three"]
    assert cut("--until", moments[1]) == ["one", "two"]
    assert cut("--since", moments[1], "--until", moments[1]) == ["two"]
    assert cut("--since", "1h") == ["one", "two", "three"]
    assert cut("--until", "1h") == []
    seconds = time.time() - 3600
    assert cut("--since", f"{seconds:.6f}") == ["one", "two", "three"]
    assert cut("--until", str(int(seconds))) == []
    assert cut("-n", "1") == ["three"]
    assert cut("--tail", "0") == []
    assert cut("--tail", "all") == ["one", "two", "three"]
    both = orchestra("logs", "--no-color", "-n", "1").out.splitlines()
    assert sorted(both) == ["a-1  | three", "a-2  | three"]
    coloured = orchestra("--ansi", "always", "logs", "-n", "1").out
    assert "\x1b[" in coloured
    assert "\x1b[" not in orchestra("--ansi", "always", "logs", "--no-color").out


def test_following_many_services_is_in_order_and_does_not_poll(orchestra: Orchestra) -> None:
    names = [f"s{number:02}" for number in range(12)]
    write_compose(
        orchestra,
        HEADER
        + "services:\n"
        + "".join(
            f"  {name}: {{<<: *common, volumes: ['./gate:/gate'],"
            " command: [sh, -c, 'read turn < /gate/$$0; date +%s%N; exec sleep 1000', "
            f"{name}]}}\n"
            for name in names
        ),
    )
    gate = os.path.join(orchestra.directory, "gate")
    os.mkdir(gate)
    for name in names:
        os.mkfifo(os.path.join(gate, name))
    orchestra("up", "-d")
    assert len(states(orchestra)) == 12
    output = os.path.join(orchestra.directory, "output")
    with open(output, "wb") as file:
        follower = subprocess.Popen(
            [PROGRAM, "logs", "-f", "--no-color"],
            cwd=orchestra.directory,
            env=orchestra.env,
            stdout=file,
            stdin=subprocess.DEVNULL,
        )
    try:
        for count, name in enumerate(names[::-1], 1):
            with open(os.path.join(gate, name), "w") as turn:
                turn.write("go\n")
            eventually(partial(_has_lines, output, count), within_s=5)
        lines = _lines(output)
        assert [line.split("-1")[0] for line in lines] == names[::-1]
        written = [int(line.split("| ")[1]) for line in lines]
        assert written == sorted(written)
        before = _ticks_and_switches(follower.pid)
        time.sleep(1.0)  # the time in which it must do nothing
        after = _ticks_and_switches(follower.pid)
        assert after[0] == before[0]
        assert after[1] - before[1] <= 2
    finally:
        follower.kill()
        follower.wait()


def _has_lines(path: str, count: int) -> bool:
    return len(_lines(path)) == count


def _lines(path: str) -> list[str]:
    with open(path) as file:
        return file.read().splitlines()


def _ticks_and_switches(pid: int) -> tuple[int, int]:
    """Time on a CPU, and how often it has waited. proc(5)."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    with open(f"/proc/{pid}/status") as file:
        waits = next(line for line in file if line.startswith("voluntary_ctxt_switches"))
    return int(fields[11]) + int(fields[12]), int(waits.split()[1])
