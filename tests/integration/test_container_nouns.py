"""`orchestra container …`: containers of no project, and those of projects by name or id."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import write_compose
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.harness.terminal import Terminal
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]


@pytest.fixture
def docker(orchestra: Orchestra) -> Orchestra:
    """The command, as the tests call it here."""
    return orchestra


def test_a_filter_by_what_is_no_number_is_refused(docker: Orchestra) -> None:
    failed = docker("container", "ls", "-a", "--filter", "exited=--5", code=None)
    assert "invalid filter 'exited=--5'" in failed.err
    assert "bug" not in failed.err


def state_of(docker: Orchestra, name: str) -> str:
    return docker("container", "inspect", "-f", "{{.State.Status}}", name).out.strip()


def has_status(docker: Orchestra, name: str, status: str) -> Callable[[], bool]:
    return lambda: state_of(docker, name) == status


def test_run_in_front_passes_streams_and_the_exit_code(docker: Orchestra) -> None:
    script = "cat; echo low >&2; exit 7"
    done = docker(
        "container", "run", "--rm", "-i", "host", "sh", "-c", script, code=7, stdin="typed\n"
    )
    assert (done.out, done.err) == ("typed\n", "low\n")
    assert docker("container", "ls", "-aq").out == ""


def test_only_the_streams_that_are_attached_are_shown(docker: Orchestra) -> None:
    script = "echo out; echo err >&2"
    done = docker("container", "run", "--rm", "-a", "STDERR", "host", "sh", "-c", script)
    assert (done.out, done.err) == ("", "err\n")


def test_a_command_that_is_not_there_is_127_and_leaves_nothing_with_rm(docker: Orchestra) -> None:
    docker("container", "run", "--rm", "host", "no-such-command", code=127)
    docker("container", "run", "--rm", "host", "/etc/passwd", code=126)
    assert docker("container", "ls", "-aq").out == ""


@pytest.mark.parametrize(
    "flags",
    [
        ["--nope"],
        ["--memory", "much"],
        ["--publish", "80800:80"],
        ["--mount", "type=bind,target=/x"],
        ["--env", "=x"],
        ["--ulimit", "nofile=many"],
        ["--restart", "sometimes"],
        ["--rm", "--restart", "always"],
        ["--network", "nowhere"],
        ["--network", "host", "--network", "none"],
        ["--volumes-from", "nobody"],
        ["--env-file", "/nowhere"],
        ["--name", "a b"],
        ["-d", "-a", "STDOUT"],
    ],
    ids=" ".join,
)
def test_bad_words_are_125_and_leave_nothing(docker: Orchestra, flags: list[str]) -> None:
    done = docker("container", "run", *flags, "host", "true", code=125)
    assert done.err
    assert "Traceback" not in done.err
    assert docker("container", "ls", "-aq").out == ""


def test_a_life_in_the_background(docker: Orchestra) -> None:
    name = "life"
    made = docker("container", "run", "-d", "--name", name, "host", "sleep", "1000")
    identity = made.out.strip()
    assert len(identity) == 64
    assert docker("container", "ls", "-q", "--no-trunc").out.strip() == identity
    for verb, status in (
        ("pause", "paused"),
        ("unpause", "running"),
        ("kill", "exited"),
        ("start", "running"),
        ("restart", "running"),
        ("stop", "exited"),
    ):
        flags = ["-t", "0"] if verb in ("restart", "stop") else []
        assert docker("container", verb, *flags, identity[:10]).out == f"{identity[:10]}\n"
        eventually(has_status(docker, name, status), within_s=5)
    docker("container", "rename", name, "other")
    assert docker("container", "wait", "other").out == "137\n"
    docker("container", "run", "-d", "--name", name, "host", "true")
    assert docker("container", "rm", "other", name, "third", code=1).out == f"other\n{name}\n"


def test_what_flags_say_is_what_the_container_has(docker: Orchestra) -> None:
    with open(os.path.join(docker.directory, "vars"), "w") as file:
        file.write("# a comment\nFROM_FILE=two words\nCALLER\n")
    script = "echo $FROM_FILE/$CALLER/$ONE; pwd; id -u; hostname; cat /x/y; ls /tmp; ulimit -n"
    os.mkdir(os.path.join(docker.directory, "x"))
    with open(os.path.join(docker.directory, "x", "y"), "w") as file:
        file.write("content\n")
    done = docker(
        *("container", "run", "--rm", "-e", "ONE=1", "--env-file", "vars", "-w", "/usr"),
        *("-u", "1234:5", "-h", "box", "-v", "./x:/x:ro", "--tmpfs", "/tmp"),
        *("--ulimit", "nofile=99", "--memory", "64m", "--cpus", "0.5", "--pids-limit", "50"),
        *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--label", "a=b", "--add-host", "there:10.0.0.1", "host", "sh", "-c", script),
        env={"CALLER": "me"},
    )
    assert done.out.split("\n") == ["two words/me/1", "/usr", "1234", "box", "content", "99", ""]


def test_inspect_tells_what_was_asked_for(docker: Orchestra) -> None:
    docker("volume", "create", "data")
    docker(
        *("container", "create", "--name", "full", "-v", "data:/data", "--mount"),
        *("type=tmpfs,target=/run/x,tmpfs-size=1m", "-p", "127.0.0.1::80", "--restart"),
        *("on-failure:3", "--memory", "64m", "-e", "A=1", "--entrypoint", "sh", "-t", "-i"),
        *("--health-cmd", "true", "--health-interval", "5s", "--stop-timeout", "3", "--cap-add"),
        *("NET_ADMIN", "--label", "k=v", "--init", "host", "-c", "true"),
    )
    (found,) = json.loads(docker("container", "inspect", "--size", "full").out)
    config, host = found["Config"], found["HostConfig"]
    assert found["Name"] == "/full"
    assert found["State"]["Status"] == "created"
    assert (config["Entrypoint"], config["Cmd"]) == (["sh"], ["-c", "true"])
    assert (config["Tty"], config["OpenStdin"], config["StopTimeout"]) == (True, True, 3)
    assert config["Healthcheck"]["Interval"] == 5_000_000_000
    assert config["Labels"] == {"k": "v"}
    assert "A=1" in config["Env"]
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert (host["Memory"], host["CapAdd"], host["Init"]) == (64 << 20, ["NET_ADMIN"], True)
    assert host["PortBindings"] == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}
    assert [mount["Destination"] for mount in found["Mounts"]] == ["/data", "/run/x"]
    assert found["SizeRootFs"] >= found["SizeRw"]


def test_containers_talk_by_name_and_alias(docker: Orchestra) -> None:
    docker("network", "create", "talk")
    docker(
        *("container", "run", "-d", "--name", "server", "--network", "name=talk,alias=web"),
        *("host", "sleep", "1000"),
    )
    (found,) = json.loads(docker("container", "inspect", "server").out)
    address = found["NetworkSettings"]["Networks"]["talk"]["IPAddress"]
    for name in ("server", "web"):
        done = docker("container", "run", "--rm", "--net", "talk", "host", "getent", "hosts", name)
        assert done.out.split()[0] == address
    docker("container", "run", "--rm", "--net", "none", "host", "getent", "hosts", "web", code=2)
    docker("container", "rm", "-f", "server")
    docker("network", "rm", "talk")


def test_published_ports_are_told(docker: Orchestra) -> None:
    docker(
        *("container", "run", "-d", "--name", "ports", "-p", "127.0.0.1:18080:80", "--expose"),
        *("9000", "-P", "host", "sleep", "1000"),
    )
    assert docker("container", "port", "ports", "80").out == "127.0.0.1:18080\n"
    assert "9000/tcp -> 0.0.0.0:" in docker("container", "port", "ports").out
    docker("container", "port", "ports", "81", code=1)


def test_files_changes_and_logs_of_a_container(docker: Orchestra) -> None:
    script = "echo one; echo two >&2; echo new > /new"
    docker("container", "run", "--name", "work", "host", "sh", "-c", script)
    assert docker("container", "logs", "work").out == "one\n"
    assert docker("container", "logs", "-n", "1", "work").err == "two\n"
    docker("container", "cp", "work:/new", "here")
    with open(os.path.join(docker.directory, "here")) as file:
        assert file.read() == "new\n"
    assert docker("container", "start", "-a", "work").out == "one\n"


def test_nouns_reach_the_containers_of_projects(docker: Orchestra) -> None:
    write_compose(docker, "name: shop\nservices: {web: {image: host, command: [sleep, '1000']}}\n")
    docker("up", "-d")
    label = "label=com.docker.compose.project=shop"
    assert docker("container", "ls", "--format", "{{.Names}}", "-f", label).out == "shop-web-1\n"
    assert docker("container", "exec", "shop-web-1", "echo", "in").out == "in\n"
    docker("container", "run", "--rm", "--net", "shop_default", "host", "getent", "hosts", "web")
    docker("container", "stop", "-t", "0", "shop-web-1")
    assert docker("ls").out.count("\n") == 1
    assert "shop" in docker("ls", "-a").out
    docker("down")


def test_listings_are_filtered(docker: Orchestra) -> None:
    docker("container", "run", "--name", "bad", "-l", "x=1", "host", "false", code=1)
    docker("container", "run", "-d", "--name", "good", "host", "sleep", "1000")
    named = ("--format", "{{.Names}}")
    assert docker("container", "ls", *named).out == "good\n"
    assert docker("container", "ls", "-a", *named).out == "good\nbad\n"
    assert docker("container", "ls", "-l", *named).out == "good\n"
    for text in ("exited=1", "label=x", "status=exited", "before=good", "name=^/ba"):
        assert docker("container", "ls", "-a", *named, "-f", text).out == "bad\n", text
    assert docker("container", "ls", "-a", *named, "-f", "ancestor=host").out == "good\nbad\n"
    docker("container", "ls", "-f", "status=odd", code=1)
    assert "bad" not in docker("container", "prune", "-f").out
    assert docker("container", "ls", "-a", *named).out == "good\n"


def test_a_terminal_is_left_and_found_again(
    docker: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    box = terminal("container", "run", "-it", "--name", "box", "host", "sh", cwd=docker.directory)
    box.type("stty size; tty\n")
    box.expect("/dev/pts/0")
    box.type("\x10\x11")
    assert box.wait() == 0
    assert state_of(docker, "box") == "running"
    again = terminal("container", "attach", "box", cwd=docker.directory)
    again.type("echo $((6*7))\n")
    again.expect("42")
    beside = terminal("container", "exec", "-it", "box", "sh", cwd=docker.directory)
    beside.type("echo $((7*7)); exit 3\n")
    beside.expect("49")
    assert beside.wait() == 3
    again.type("exit 5\n")
    assert again.wait() == 5
    started = terminal("container", "start", "-ai", "box", cwd=docker.directory)
    started.type("exit 6\n")
    assert started.wait() == 6


def test_events_of_every_project_are_told(docker: Orchestra) -> None:
    docker("container", "run", "--rm", "--name", "short", "-l", "a=b", "host", "true")
    told = docker(
        *("system", "events", "--since", "1m", "--until", "0s", "-f", "container=short"),
        *("--format", "{{.Action}} {{.Actor.Attributes.a}}"),
    ).out.split("\n")
    assert [line for line in told if not line.startswith("kill")] == [
        "create b",
        "start b",
        "die b",
        "destroy b",
        "",
    ]
    docker("system", "events", "--until", "0s", "-f", "odd=1", code=1)
