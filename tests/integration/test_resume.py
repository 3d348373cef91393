"""`resume`: what runs again after a reboot, played here by ending and wiping everything."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from orchestra.layout import Layout
from orchestra.linux.procfs import boot_id, is_running
from orchestra.runtime.statefile import read_states
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

BOOT_ID = "/proc/sys/kernel/random/boot_id"

COMPOSE = """
name: reboot
services:
  web:
    image: host
    init: true
    command: [sh, -c, "date +%s%N > /cache/started; exec python3 -m http.server 8000 -d /cache"]
    restart: always
    ports: ["127.0.0.1:18081:8000"]
    volumes: [/cache]
    depends_on:
      db: {condition: service_healthy}
      once: {condition: service_completed_successfully}
  db:
    image: host
    init: true
    command: [sh, -c, "rm -f /data/started; sleep 0.5; date +%s%N > /data/started; exec sleep 600"]
    restart: unless-stopped
    volumes: [data:/data]
    healthcheck: {test: [CMD, test, -s, /data/started], interval: 100ms, retries: 100}
  once:
    image: host
    command: ["true"]
  plain:
    image: host
    init: true
    command: [sleep, "600"]
  stopped:
    image: host
    init: true
    command: [sleep, "600"]
    restart: unless-stopped
  obstinate:
    image: host
    init: true
    command: [sleep, "600"]
    restart: always
  failing:
    image: host
    init: true
    command: [sleep, "600"]
    restart: on-failure:5
  fine:
    image: host
    command: ["true"]
    restart: on-failure
volumes:
  data:
"""


@pytest.fixture
def up(orchestra: Orchestra) -> Orchestra:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(COMPOSE)
    orchestra("up", "-d")
    orchestra("stop", "-t", "0", "stopped", "obstinate")
    return orchestra


def layout(orchestra: Orchestra) -> Layout:
    return Layout(orchestra.env["ORCHESTRA_DATA_ROOT"], orchestra.env["ORCHESTRA_RUN_ROOT"])


def statuses(orchestra: Orchestra) -> dict[str, str]:
    lines = orchestra("ps", "-a", "--format", "json").out.splitlines()
    return {each["Service"]: each["State"] for each in map(json.loads, lines)}


def addresses(orchestra: Orchestra) -> dict[str, str]:
    states = read_states(layout(orchestra), "reboot")
    return {state.service: state.endpoints[0].address for state in states}


def get(orchestra: Orchestra) -> str:
    done = subprocess.run(
        ["curl", "-sf", "http://127.0.0.1:18081/started"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    del orchestra
    return done.stdout


@contextmanager
def other_boot(orchestra: Orchestra) -> Iterator[None]:
    """End the project as a power cut does, wipe what a reboot wipes, and change the boot's id."""
    end_all(layout(orchestra), "reboot")
    for name in link_names():
        subprocess.run(["ip", "link", "delete", name], check=True, timeout=10)
    subprocess.run(["nft", "flush", "ruleset"], check=True, timeout=10)
    shutil.rmtree(layout(orchestra).run_root)
    with new_boot_id(orchestra):
        yield


def link_names() -> list[str]:
    done = subprocess.run(
        ["ip", "-json", "link", "show", "type", "bridge"],
        capture_output=True,
        check=True,
        timeout=10,
    )
    return [link["ifname"] for link in json.loads(done.stdout or "[]")]


def end_all(where: Layout, project: str) -> None:
    """SIGKILL reaper and supervisor, then every container, at once."""
    with open(where.supervisor_pid(project)) as file:
        processes = [(int(pid), int(ticks)) for pid, ticks in map(str.split, file)]
    processes.reverse()  # the reaper first: it would start another supervisor
    processes += [(s.pid, s.start_ticks) for s in read_states(where, project) if s.pid]
    for pid, _ in processes:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not any(is_running(*each) for each in processes), within_s=5)


@contextmanager
def new_boot_id(orchestra: Orchestra) -> Iterator[None]:
    path = os.path.join(orchestra.directory, "boot_id")
    with open(path, "w") as file:
        file.write(f"{uuid.uuid4()}\n")
    subprocess.run(["mount", "--bind", path, BOOT_ID], check=True, timeout=10)
    try:
        yield
    finally:
        subprocess.run(["umount", BOOT_ID], check=True, timeout=10)


def test_what_policies_ask_for_comes_back_as_it_was(up: Orchestra) -> None:
    before = addresses(up)
    up("exec", "-T", "web", "sh", "-c", "echo kept > /cache/file")
    with other_boot(up):
        assert set(statuses(up).values()) == {"exited"}
        up("resume")
        assert statuses(up) == {
            "web": "running",
            "db": "running",
            "once": "exited",
            "plain": "exited",
            "stopped": "exited",
            "obstinate": "running",
            "failing": "running",
            "fine": "exited",
        }
        after = addresses(up)
        assert {name: after[name] for name in ("web", "db")} == {
            name: before[name] for name in ("web", "db")
        }
        assert up("exec", "-T", "web", "cat", "/cache/file").out == "kept\n"
        begun = int(eventually(lambda: get(up), within_s=10))
        assert begun > int(up("exec", "-T", "db", "cat", "/data/started").out)
        assert up("exec", "-T", "web", "getent", "hosts", "db").out.split()[0] == before["db"]
        assert up("resume").err == ""
        up("down", "-t", "0", "-v")


def test_up_after_a_reboot_starts_the_rest_too(up: Orchestra) -> None:
    with other_boot(up):
        up("up", "-d", "--wait")
        assert statuses(up)["plain"] == "running"
        up("down", "-t", "0", "-v")


def test_process_of_another_boot_is_not_taken_for_the_container(up: Orchestra) -> None:
    """Same pid, same start: only the boot differs, and the run root has outlived it."""
    where = layout(up)
    pids = {s.service: s.pid for s in read_states(where, "reboot") if s.pid}
    assert {state.boot_id for state in read_states(where, "reboot") if state.pid} == {boot_id()}
    with new_boot_id(up):
        assert set(statuses(up).values()) == {"exited"}
        for state in read_states(where, "reboot"):
            if state.service in pids:
                assert (state.pid, state.exit_code) == (0, 255)
                assert state.error == "the machine was restarted"
    assert statuses(up)["web"] == "running"


def test_shutdown_is_graceful_and_not_remembered_as_a_stop(up: Orchestra) -> None:
    up("resume", "--shutdown")
    assert set(statuses(up).values()) == {"exited"}
    assert not os.path.exists(layout(up).socket("reboot"))
    codes = {s.service: s.exit_code for s in read_states(layout(up), "reboot")}
    assert codes["db"] == 143  # SIGTERM, and no need of SIGKILL
    up("resume")
    running = {name for name, status in statuses(up).items() if status == "running"}
    assert running == {"web", "db", "obstinate", "failing"}


def test_dry_run_tells_the_order(up: Orchestra) -> None:
    up("resume", "--shutdown")
    told = up("--dry-run", "resume").err
    started = [line.split()[-2] for line in told.splitlines() if line.endswith("Started")]
    assert started.index("reboot-db-1") < started.index("reboot-web-1")
    assert "running" not in statuses(up).values()


def test_unknown_project_is_an_error(orchestra: Orchestra) -> None:
    done = orchestra("resume", "nobody", code=1)
    assert 'no such project: "nobody"' in done.err


def test_unit_file_is_one(orchestra: Orchestra) -> None:
    unit = orchestra("resume", "--systemd").out
    path = os.path.join(orchestra.directory, "orchestra.service")
    with open(path, "w") as file:
        file.write(unit)
    assert f"Environment=ORCHESTRA_DATA_ROOT={orchestra.env['ORCHESTRA_DATA_ROOT']}\n" in unit
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze to judge the unit file")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", path],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
