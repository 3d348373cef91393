"""`from orchestra import Project`, on containers: from scripts, threads, dying processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from orchestra import Project
from orchestra.errors import (
    BuildError,
    ConfigError,
    Conflict,
    LaunchFailed,
    NotFound,
    RuntimeFailure,
)
from orchestra.plan.execute import TimedOut
from tests.support.compose import fetch, write_compose
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

WEB = """
    name: called
    services:
      web:
        image: host
        init: true
        command: ["/usr/bin/python3", "-u", "-m", "http.server", "8000"]
        ports: ["8000"]
        healthcheck:
          test: [CMD, python3, -c, "__import__('socket').create_connection(('127.1', 8000))"]
          interval: 200ms
      idle:
        image: host
        init: true
        command: [sleep, inf]
        environment: {COLOUR: "${COLOUR:-none}"}
        profiles: [more]
"""


@pytest.fixture
def directory(orchestra: Orchestra, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project directory, with roots of its own for this process as for the command."""
    for name in ("ORCHESTRA_DATA_ROOT", "ORCHESTRA_RUN_ROOT"):
        monkeypatch.setenv(name, orchestra.env[name])
    write_compose(orchestra, WEB)
    return orchestra.directory


def names(project: Project) -> list[str]:
    return [container.name for container in project.ps(all=True)]


def test_a_project_runs_for_the_length_of_a_block(
    directory: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with Project.load(f"{directory}/compose.yaml").running() as project:
        assert "Directory listing" in fetch(f"http://{project['web'].port(8000)}/")
        assert "Directory listing" in fetch(f"http://{project['web'].address}:8000/")
        (container,) = project.ps()
        assert (container.name, container.health) == ("called-web-1", "healthy")
    assert names(project) == []
    assert capfd.readouterr() == ("", "")


def test_it_works_from_a_process_with_threads(directory: str) -> None:
    release = threading.Event()
    other = threading.Thread(target=release.wait, args=(60,))
    other.start()
    try:
        with ThreadPoolExecutor(3) as pool:

            def run(_number: int) -> tuple[str, str]:
                with Project.load(directory).running(["web"], unique=True) as project:
                    return project.name, project["web"].exec(["echo", project.name]).stdout

            found = list(pool.map(run, range(3)))
    finally:
        release.set()
        other.join()
    assert len({name for name, _out in found}) == 3
    assert all(out == f"{name}\n" for name, out in found)


def zombies() -> set[str]:
    """Children that nobody has waited for, "PID NAME": earlier tests may have left some."""
    listing = subprocess.run(
        ["ps", "-o", "stat=,pid=,comm=", "--ppid", str(os.getpid())],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return {line.split(maxsplit=1)[1] for line in listing.splitlines() if line.startswith("Z")}


def test_the_supervisor_is_no_child_and_no_copy_of_the_caller(directory: str) -> None:
    marker = "a" * 50_000_000
    before = zombies()
    with Project.load(directory).running() as project:
        with open(project.layout.supervisor_pid(project.name), encoding="ascii") as file:
            supervisor = int(file.readline().split()[0])
        with open(f"/proc/{supervisor}/statm", encoding="ascii") as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        assert resident < len(marker)
        assert zombies() <= before


def test_a_name_for_once_leaves_no_file_behind(directory: str) -> None:
    with Project.load(directory).running(unique=True, stop_timeout=0, wait=False) as project:
        assert os.listdir(f"{project.layout.run_root}/projects") == [project.name]
    assert os.listdir(f"{project.layout.run_root}/projects") == []
    assert os.listdir(f"{project.layout.run_root}/events") == []
    assert os.listdir(project.layout.projects) == []


def test_exec_gives_exit_code_and_both_streams(directory: str) -> None:
    with Project.load(directory).running(unique=True, wait=False) as project:
        web = project["web"]
        script = "cat; echo $WHO; echo wrong >&2; exit 3"
        result = web.exec(["sh", "-c", script], stdin="in\n", env={"WHO": "me"})
        assert (result.exit_code, result.stdout, result.stderr) == (3, "in\nme\n", "wrong\n")
        assert web.exec("pwd", workdir="/usr").stdout == "/usr\n"
        assert web.exec("id -un", user="nobody").stdout == "nobody\n"
        large = web.exec(["head", "-c", "3000000", "/dev/zero"])
        assert large.stdout_bytes == bytes(3_000_000)
        assert web.exec(["nonesuch"]).exit_code == 127
        with pytest.raises(
            RuntimeFailure, match=r"`ls /none` in web exited with 2: .*No such file"
        ):
            web.exec("ls /none", check=True)
        with pytest.raises(TimedOut, match=r"took more than 0\.2 s"):
            web.exec("sleep 60", timeout=0.2)
        eventually(lambda: "sleep" not in web.exec("ps -e").stdout, within_s=5)


def test_a_service_is_stopped_started_restarted_and_killed(directory: str) -> None:
    with Project.load(directory).running(unique=True) as project:
        web = project["web"]
        web.stop(timeout=0)
        assert [c.status for c in web.containers] == ["exited"]
        with pytest.raises(NotFound, match='"web" is not running'):
            web.port(8000)
        web.start()
        web.wait_healthy(timeout=20)
        assert web.container().health == "healthy"
        before = web.container().started_ns
        web.restart(timeout=0)
        assert web.container().started_ns > before
        web.kill("KILL")
        eventually(lambda: web.containers[0].status == "exited", within_s=5)


def test_what_is_not_published_is_said_clearly(directory: str) -> None:
    with Project.load(directory).running(wait=False) as project:
        with pytest.raises(NotFound) as caught:
            project["web"].port(9999)
        assert str(caught.value) == (
            "no port 9999/tcp is published by container called-web-1\n"
            "  fix: published are: 8000/tcp"
        )
        with pytest.raises(NotFound, match="8000/udp"):
            project["web"].port(8000, "udp")
        with pytest.raises(NotFound, match='did you mean "web"'):
            project["wed"]


def test_profiles_scale_environment_and_names(directory: str) -> None:
    project = Project.load(directory, profiles=["more"], name="called-too", env={"COLOUR": "red"})
    assert (project.name, list(project)) == ("called-too", ["idle", "web"])
    with project.lease(stop_timeout=0):
        project.up(["idle"], scale={"idle": 2}, wait=True, timeout=20)
        assert names(project) == ["called-too-idle-1", "called-too-idle-2"]
        assert project["idle"].exec("printenv COLOUR", index=2).stdout == "red\n"
    named = Project.load(directory)
    assert "idle" not in list(named)
    with named.running(["idle"], wait=False, stop_timeout=0):
        assert names(named) == ["called-idle-1"]


def test_logs_are_read_and_followed(directory: str, orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        """
        services:
          count:
            image: host
            command: [sh, -c, "for i in 1 2 3; do echo line $$i; done"]
        """,
    )
    with Project.load(directory).running(wait=False) as project:
        lines = list(project["count"].follow())
        assert lines == ["line 1\n", "line 2\n", "line 3\n"]
        assert project["count"].logs(tail=1) == "line 3\n"
        assert project.logs().splitlines()[0] == "count-1 | line 1"
        assert project.logs(since=4e9) == ""


def test_a_failing_project_is_taken_down_and_says_why(directory: str, orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        """
        services:
          web: {image: host, init: true, command: [sleep, inf]}
          bad: {image: host, command: [/nonesuch]}
        """,
    )
    project = Project.load(directory)
    with pytest.raises(LaunchFailed, match="/nonesuch"), project.running(stop_timeout=0):
        raise AssertionError("it cannot run")
    assert names(project) == []


def test_what_never_gets_healthy_times_out(directory: str, orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        """
        services:
          web:
            image: host
            init: true
            command: [sleep, inf]
            healthcheck: {test: [CMD, "false"], interval: 60s, start_period: 60s}
        """,
    )
    project = Project.load(directory)
    with pytest.raises(TimedOut), project.running(timeout=0.5, stop_timeout=0):
        raise AssertionError("it is not healthy")
    assert names(project) == []


def test_errors_have_their_place_and_their_mend(directory: str, orchestra: Orchestra) -> None:
    path = write_compose(orchestra, "services: {web: {imge: host}}\n", "wrong.yaml")
    with pytest.raises(ConfigError, match=rf'{path}:1:18: .*did you mean "image"'):
        Project.load(path)
    with pytest.raises(ConfigError, match=r"none\.yaml: not found"):
        Project.load(f"{directory}/none.yaml")
    path = write_compose(orchestra, "services:\n  web:\n    build: .\n", "build/compose.yaml")
    write_compose(orchestra, "FROM host\nRUN exit 9\n", "build/Dockerfile")
    project = Project.load(path)
    with pytest.raises(BuildError, match="exit"), project.running():
        raise AssertionError("there is no image")


def test_a_build_runs_and_its_image_is_used(directory: str, orchestra: Orchestra) -> None:
    assert directory == orchestra.directory
    path = write_compose(
        orchestra,
        "services: {web: {build: ., init: true, command: [sleep, inf]}}\n",
        "build/compose.yaml",
    )
    write_compose(orchestra, "FROM host\nRUN echo built > /built\n", "build/Dockerfile")
    with Project.load(path).running(unique=True, build=True, wait=False) as project:
        assert project["web"].exec("cat /built").stdout == "built\n"


def test_a_taken_name_is_a_conflict(directory: str, orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        "services: {a: {image: host, container_name: one, init: true, command: [sleep, inf]}}\n",
    )
    project = Project.load(directory)
    other = project.renamed("called-too")
    with project.running(stop_timeout=0), pytest.raises(Conflict, match="one"), other.running():
        raise AssertionError("there are two")


def script(directory: str, text: str) -> subprocess.Popen[str]:
    """A Python program of a user, in *directory*."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(text)],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


FOREVER = """
    import signal, sys
    from orchestra import Project
    with Project.load().running(stop_timeout=0):
        print("up", flush=True)
        signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_the_process_takes_the_project_down(
    number: signal.Signals, directory: str
) -> None:
    with script(directory, FOREVER) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        project = Project.load(directory)
        assert names(project) == ["called-web-1"]
        process.send_signal(number)
    eventually(lambda: names(project) == [], within_s=10)


def test_a_second_ctrl_c_does_not_keep_it_from_being_taken_down(
    directory: str, orchestra: Orchestra
) -> None:
    write_compose(
        orchestra,
        """
        services:
          web:
            image: host
            command: ["python3", "-c", "import signal; signal.signal(15, lambda *_: None);\
              [signal.pause() for _ in range(9)]"]
            stop_grace_period: 2s
        """,
    )
    with script(directory, FOREVER.replace("stop_timeout=0", "")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        project = Project.load(directory)
        process.send_signal(signal.SIGINT)
        eventually(lambda: project["web"].container().stopped_by_user, within_s=5)
        process.send_signal(signal.SIGINT)
    eventually(lambda: names(project) == [], within_s=15)


def test_ctrl_c_during_up_interrupts_it_and_leaves_nothing(
    directory: str, orchestra: Orchestra
) -> None:
    write_compose(
        orchestra,
        """
        services:
          web:
            image: host
            init: true
            command: [sleep, inf]
            healthcheck: {test: [CMD, "false"], interval: 60s, start_period: 60s}
        """,
    )
    program = """
        from orchestra import Project
        try:
            with Project.load(name="slow").running(stop_timeout=0):
                pass
        except KeyboardInterrupt:
            print("interrupted")
    """
    with script(directory, program) as process:
        project = Project.load(directory, name="slow")
        eventually(lambda: [c.status for c in project.ps()] == ["running"], within_s=20)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (out, err) == ("interrupted\n", "")
    assert names(project) == []


def test_the_command_sees_the_same_project(directory: str, orchestra: Orchestra) -> None:
    with Project.load(directory).running(wait=False):
        (line,) = orchestra("ps", "--format", "json").out.splitlines()
        assert json.loads(line)["Name"] == "called-web-1"
