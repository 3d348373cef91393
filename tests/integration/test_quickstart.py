"""What a person meets in samples/quickstart: the whole way from `up -d` to `down -v`."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.harness import outer
from tests.support.compose import fetch, states, write_compose
from tests.support.eventually import eventually
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

NAMES = ["quickstart-api-1", "quickstart-migrate-1", "quickstart-worker-1"]


@pytest.fixture
def up(quickstart: Orchestra) -> Orchestra:
    """The sample, brought up in the background."""
    quickstart("up", "-d")
    return quickstart


def saved_states(orchestra: Orchestra) -> dict[str, dict[str, int]]:
    """The state files, which have times to the nanosecond."""
    found: dict[str, dict[str, int]] = {}
    for root, _directories, files in os.walk(orchestra.env["ORCHESTRA_DATA_ROOT"]):
        if "state.json" in files:
            with open(os.path.join(root, "state.json"), encoding="utf-8") as file:
                state = json.load(file)
            found[state["service"]] = state
    return found


def test_services_start_in_the_order_of_their_dependencies(up: Orchestra) -> None:
    assert states(up)["quickstart-api-1"]["Health"] == "healthy"
    state = saved_states(up)
    assert state["migrate"]["exit_code"] == 0
    assert state["migrate"]["finished_ns"] <= state["api"]["started_ns"]
    assert state["api"]["started_ns"] < state["worker"]["started_ns"]


@pytest.mark.parametrize("address", ["127.0.0.1", outer.HOST_ADDRESS])
def test_the_published_port_answers_on_every_address_of_the_host(
    up: Orchestra, address: str
) -> None:
    del up
    assert json.loads(fetch(f"http://{address}:8080/"))["greeting"] == "hello"


def test_the_published_port_answers_from_another_machine(up: Orchestra) -> None:
    del up
    script = (
        "import urllib.request as r;"
        f"print(r.urlopen('http://{outer.HOST_ADDRESS}:8080/', timeout=5).read().decode())"
    )
    done = outer.from_outside("python3", "-c", script)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["greeting"] == "hello"


def test_services_find_each_other_by_name(up: Orchestra) -> None:
    script = "import socket; print(socket.gethostbyname('api'))"
    address = up("exec", "-T", "worker", "/usr/bin/python3", "-c", script).out.strip()
    assert address.count(".") == 3
    assert not address.startswith("127.")
    assert "nameserver 127.0.0.11" in up("exec", "-T", "worker", "cat", "/etc/resolv.conf").out
    eventually(
        lambda: json.loads(fetch("http://127.0.0.1:8080/"))["visits"].get("worker"), within_s=10
    )


def test_ps_shows_what_runs_and_with_a_what_has_ended(up: Orchestra) -> None:
    lines = up("ps").out.splitlines()
    assert lines[0].split() == ["NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"]
    assert [line.split()[0] for line in lines[1:]] == [NAMES[0], NAMES[2]]
    assert "(healthy)" in lines[1]
    assert ":8080->8080/tcp" in lines[1]
    assert [line.split()[0] for line in up("ps", "-a").out.splitlines()[1:]] == NAMES
    assert up("ps", "--services").out.split() == ["api", "worker"]
    assert len(up("ps", "-q").out.split()) == 2
    assert up("ps", "--status", "exited", "--format", "{{.Name}}").out.split() == [NAMES[1]]


def test_ps_speaks_json(up: Orchestra) -> None:
    found = states(up)
    assert sorted(found) == NAMES
    api = found["quickstart-api-1"]
    assert (api["State"], api["Health"], api["Service"]) == ("running", "healthy", "api")
    assert {
        key: value
        for key, value in api["Publishers"][0].items()  # type: ignore[index]  # a list of objects
        if key.endswith("Port")
    } == {"TargetPort": 8080, "PublishedPort": 8080}
    assert found["quickstart-migrate-1"]["ExitCode"] == 0


def test_ls_names_the_project_and_its_file(up: Orchestra) -> None:
    (project,) = json.loads(up("ls", "--format", "json").out)
    assert project["Name"] == "quickstart"
    assert project["Status"] == "running(2)"
    (project,) = json.loads(up("ls", "-a", "--format", "json").out)
    assert project["Status"] == "exited(1), running(2)"
    assert project["ConfigFiles"] == os.path.join(up.directory, "compose.yaml")


def test_logs_have_prefixes_and_can_be_cut(up: Orchestra) -> None:
    assert "migrate-1  | migrated\n" in up("logs").out
    assert up("logs", "--no-log-prefix", "migrate").out == "migrated\n"
    assert up("logs", "--tail", "1", "--no-log-prefix", "migrate").out == "migrated\n"
    stamped = up("logs", "-t", "migrate").out
    assert stamped.startswith("migrate-1  | 20")
    assert stamped.endswith("Z migrated\n")
    assert up("logs", "--since", "2099-01-01", "migrate").out == ""


def test_logs_follow_over_a_restart(up: Orchestra) -> None:
    follower = subprocess.Popen(
        [PROGRAM, "logs", "-f", "worker"],
        cwd=up.directory,
        env=up.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert follower.stdout is not None
        follower.stdout.readline()
        up("restart", "-t", "0", "worker")
        up("stop", "-t", "0", "worker")
        out, _ = follower.communicate(timeout=20)
    finally:
        follower.kill()
        follower.wait()
    assert out.count("exited with code 137") == 2


def test_logs_follow_until_the_end(up: Orchestra) -> None:
    follower = subprocess.Popen(
        [PROGRAM, "logs", "-f", "api"],
        cwd=up.directory,
        env=up.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        up("stop", "-t", "5", "api")
        out, _nothing = follower.communicate(timeout=20)
    finally:
        follower.kill()
        follower.wait()
    assert "api-1  | listening on 8080\n" in out
    assert "api-1  | stopping\n" in out
    assert follower.returncode == 0


def test_exec_gives_output_and_the_exit_code(up: Orchestra) -> None:
    assert up("exec", "-T", "api", "sh", "-c", "exit 7", code=7).out == ""
    script = "echo $WHO; pwd; echo loud >&2"
    result = up("exec", "-T", "-e", "WHO=me", "-w", "/data", "api", "sh", "-c", script)
    assert (result.out, result.err) == ("me\n/data\n", "loud\n")


def test_exec_reads_what_is_piped_into_it(up: Orchestra) -> None:
    assert up("exec", "-T", "api", "tr", "a-z", "A-Z", stdin="quiet\n").out == "QUIET\n"


def test_exec_of_a_command_that_is_not_there_exits_127(up: Orchestra) -> None:
    result = up("exec", "-T", "api", "no-such-command", code=127)
    assert "no-such-command" in result.err


def test_stop_and_start(up: Orchestra) -> None:
    up("stop", "worker")
    assert states(up)["quickstart-worker-1"]["State"] == "exited"
    up("start", "worker")
    assert states(up)["quickstart-worker-1"]["State"] == "running"
    assert up("stop").code == 0
    assert {state["State"] for state in states(up).values()} == {"exited"}
    assert "stopping" in up("logs", "api").out


def test_restart_makes_new_processes_of_the_same_containers(up: Orchestra) -> None:
    before = saved_states(up)["api"]
    up("restart", "-t", "2", "api")
    after = saved_states(up)["api"]
    assert after["id"] == before["id"]
    assert after["pid"] != before["pid"]
    eventually(lambda: fetch("http://127.0.0.1:8080/"), within_s=10)


def test_kill_ends_a_container_with_its_signal(up: Orchestra) -> None:
    up("kill", "worker")
    worker = eventually(
        lambda: [s for s in states(up).values() if s["Service"] == "worker" and s["ExitCode"]],
        within_s=5,
    )[0]
    assert (worker["State"], worker["ExitCode"]) == ("exited", 137)


def test_a_second_up_changes_nothing(up: Orchestra) -> None:
    before = saved_states(up)
    up("up", "-d")
    after = saved_states(up)
    assert {name: after[name]["pid"] for name in ("api", "worker")} == {
        name: before[name]["pid"] for name in ("api", "worker")
    }


def test_the_bind_mount_is_the_source_and_the_anonymous_volume_hides_a_part(
    up: Orchestra,
) -> None:
    source = os.path.join(up.directory, "app")
    up("exec", "-T", "api", "sh", "-c", "echo seen > /app/note; echo hidden > /app/cache/note")
    with open(os.path.join(source, "note"), encoding="utf-8") as file:
        assert file.read() == "seen\n"
    assert not os.path.exists(os.path.join(source, "cache", "note"))


def test_volumes_outlive_what_docker_says_they_outlive(up: Orchestra) -> None:
    up("exec", "-T", "api", "sh", "-c", "echo kept > /data/note; echo kept > /app/cache/note")
    up("up", "-d", "--force-recreate")
    assert up("exec", "-T", "api", "cat", "/app/cache/note", "/data/note").out == "kept\nkept\n"
    up("down")
    up("up", "-d")
    assert up("exec", "-T", "api", "cat", "/data/note").out == "kept\n"
    assert up("exec", "-T", "api", "cat", "/app/cache/note", code=1).out == ""
    up("down", "-v")
    up("up", "-d")
    assert up("exec", "-T", "api", "cat", "/data/note", code=1).out == ""


def test_down_removes_containers_and_the_network(up: Orchestra) -> None:
    assert outer.ip("link", "show", "type", "bridge")
    up("down")
    assert not outer.ip("link", "show", "type", "bridge")
    assert states(up) == {}
    with pytest.raises(OSError, match=r"refused|reset"):
        fetch("http://127.0.0.1:8080/")
    assert up("ls", "-a", "-q").out == ""


def test_commands_work_from_a_directory_below_and_by_name(up: Orchestra) -> None:
    below = up.at(os.path.join(up.directory, "app"))
    assert below("ps", "-q").out == up("ps", "-q").out
    elsewhere = up.at("/")
    assert elsewhere("-p", "quickstart", "ps", "-q").out == up("ps", "-q").out
    assert elsewhere("-p", "quickstart", "logs", "migrate").out == "migrate-1  | migrated\n"


def test_port_and_top(up: Orchestra) -> None:
    assert up("port", "api", "8080").out == "0.0.0.0:8080\n"
    assert "/app/worker.py" in up("top", "worker").out


def test_wait_prints_the_exit_code(up: Orchestra) -> None:
    told = up("wait", "migrate").out
    assert re.fullmatch(r'container "[0-9a-f]{64}" exited with status code 0\n', told)


def test_pause_and_unpause(up: Orchestra) -> None:
    up("pause", "worker")
    assert states(up)["quickstart-worker-1"]["State"] == "paused"
    up("unpause", "worker")
    assert states(up)["quickstart-worker-1"]["State"] == "running"


def test_config_prints_the_project(quickstart: Orchestra) -> None:
    text = quickstart("config").out
    assert text.startswith("name: quickstart\n")
    assert json.loads(quickstart("config", "--format", "json").out)["name"] == "quickstart"
    assert quickstart("config", "--services").out.split() == ["api", "migrate", "worker"]
    assert quickstart("config", "-q").out == ""
    assert (
        "GREETING            false               hello" in quickstart("config", "--variables").out
    )


def test_a_dry_run_prints_the_steps_and_makes_nothing(quickstart: Orchestra) -> None:
    steps = quickstart("--dry-run", "up", "-d").err
    assert " DRY-RUN MODE -  Container quickstart-api-1  Creating\n" in steps
    assert states(quickstart) == {}


def test_a_dry_run_of_run_needs_nobody_in_front_of_it(quickstart: Orchestra) -> None:
    done = quickstart("--dry-run", "run", "-d", "api", "true")
    name = done.out.strip()
    assert f" DRY-RUN MODE -  Container {name}  Started\n" in done.err
    assert "not supported" in quickstart("--dry-run", "run", "-T", "api", "true", code=1).err
    assert states(quickstart) == {}


def test_a_dry_run_of_any_command_leaves_everything_as_it_is(up: Orchestra) -> None:
    before = states(up)
    for command in (
        ("stop",),
        ("kill",),
        ("restart",),
        ("pause",),
        ("rm", "-fs"),
        ("create", "--force-recreate"),
        ("down", "-v"),
    ):
        done = up(*command, "--dry-run")
        assert done.err.splitlines()[-1].startswith(" DRY-RUN MODE -  "), command
    after = states(up)
    assert [s["ID"] for s in after.values()] == [s["ID"] for s in before.values()]
    assert [s["State"] for s in after.values()] == [s["State"] for s in before.values()]


def test_images_names_the_image_of_each_container(up: Orchestra) -> None:
    lines = up("images").out.splitlines()
    assert lines[0].split() == ["CONTAINER", "REPOSITORY", "TAG", "IMAGE", "ID", "SIZE"]
    assert [line.split()[:2] for line in lines[1:]] == [[name, "host"] for name in NAMES]
    assert up("images", "-q").out == "host\n"


def test_orphans_and_one_off_containers_stay_when_the_services_go(orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        """
        services:
          web: {image: host, command: [sh, -c, "echo out; echo err >&2; exec sleep 600"]}
          old: {image: host, command: [sleep, "600"]}
        """,
    )
    orchestra("up", "-d")
    orchestra("run", "-d", "--name", "task", "web", "sleep", "600")
    write_compose(
        orchestra,
        """
        services:
          web: {image: host, command: [sh, -c, "echo out; echo err >&2; exec sleep 600"]}
        """,
    )
    assert orchestra("logs", "--no-log-prefix").out.splitlines() == ["out", "err"]
    assert orchestra("rm", "-fs").out.startswith("Going to remove ")
    assert sorted(str(s["Service"]) for s in states(orchestra).values()) == ["old", "web"]
    assert "task" in states(orchestra)
    orchestra("kill", "--remove-orphans")
    assert {s["State"] for s in states(orchestra).values()} == {"exited"}
    orchestra("down", "--remove-orphans")
    assert states(orchestra) == {}


def test_a_service_that_only_a_profile_enables_runs_when_it_is_named(
    orchestra: Orchestra,
) -> None:
    write_compose(
        orchestra,
        """
        services:
          web: {image: host, command: [sleep, "600"]}
          tool:
            image: host
            command: [sh, -c, "echo done > /data/it"]
            profiles: [extra]
            networks: [special]
            volumes: ["data:/data"]
        networks: {special: {}}
        volumes: {data: {}}
        """,
    )
    orchestra("up", "-d")
    assert [state["Service"] for state in states(orchestra).values()] == ["web"]
    assert orchestra("run", "--rm", "-T", "tool", "cat", "/proc/self/comm").out == "cat\n"
    orchestra("up", "-d", "--remove-orphans", "tool")
    assert sorted(str(s["Service"]) for s in states(orchestra).values()) == ["tool", "web"]
    orchestra("down", "-v", "--remove-orphans", "-t", "0")
    assert states(orchestra) == {}


def test_state_can_be_read_by_its_owner_only(up: Orchestra) -> None:
    for variable in ("ORCHESTRA_DATA_ROOT", "ORCHESTRA_RUN_ROOT"):
        assert os.stat(up.env[variable]).st_mode & 0o077 == 0
