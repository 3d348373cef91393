"""The pytest plugin by using it: runs of pytest whose tests have real containers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from orchestra.layout import Layout
from orchestra.ops.ls import ls
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]
pytest_plugins = "pytester"

COMPOSE = """
services:
  echo:
    image: host
    init: true
    command: [sh, -c, "echo it is $$COLOUR; exec sleep inf"]
    environment: {COLOUR: "${COLOUR:-grey}"}
  other:
    image: host
    init: true
    command: [sleep, inf]
    profiles: [more]
"""


@pytest.fixture
def place(
    pytester: pytest.Pytester, orchestra: Orchestra, monkeypatch: pytest.MonkeyPatch
) -> pytest.Pytester:
    """A directory of tests with a compose file; orchestra's roots are the test's."""
    for name in ("ORCHESTRA_DATA_ROOT", "ORCHESTRA_RUN_ROOT"):
        monkeypatch.setenv(name, orchestra.env[name])
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makefile(".yaml", compose=COMPOSE)
    return pytester


def run(place: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return place.runpytest_subprocess("-p", "orchestra.pytest_plugin", *arguments, timeout=100)


def left() -> tuple[str, ...]:
    """The names of the projects that have containers."""
    layout = Layout(os.environ["ORCHESTRA_DATA_ROOT"], os.environ["ORCHESTRA_RUN_ROOT"])
    return tuple(line.name for line in ls(layout, stopped_too=True))


def test_each_test_has_a_project_of_its_own(place: pytest.Pytester) -> None:
    place.makepyfile("""
        names = []

        def test_one(compose_project):
            assert list(compose_project) == ["echo"]
            assert compose_project["echo"].exec("printenv COLOUR").stdout == "grey\\n"
            names.append(compose_project.name)

        def test_two(compose_project):
            names.append(compose_project.name)
            assert len(set(names)) == 2
    """)
    run(place).assert_outcomes(passed=2)
    assert left() == ()


def test_the_marker_says_file_services_profiles_env_and_scope(place: pytest.Pytester) -> None:
    os.makedirs(place.path / "sub")
    os.rename(place.path / "compose.yaml", place.path / "sub" / "stack.yaml")
    place.makepyfile("""
        import pytest

        pytestmark = pytest.mark.compose(
            file="sub/stack.yaml", env={"COLOUR": "red"}, scope="module"
        )
        names = set()

        @pytest.mark.parametrize("number", [1, 2])
        def test_shared(compose_project, number):
            names.add(compose_project.name)
            assert len(names) == 1
            assert compose_project["echo"].exec("printenv COLOUR").stdout == "red\\n"

        @pytest.mark.compose(env={"COLOUR": "blue"}, services="other", profiles=["more"])
        def test_own(compose_project):
            names.add(compose_project.name)
            assert len(names) == 2
            assert [c.service for c in compose_project.ps()] == ["other"]
    """)
    run(place, "--strict-markers").assert_outcomes(passed=3)
    assert left() == ()


def test_ini_options_are_the_default_and_sessions_are_shared(place: pytest.Pytester) -> None:
    os.makedirs(place.path / "deploy")
    os.rename(place.path / "compose.yaml", place.path / "deploy" / "compose.yaml")
    place.makeini("""
        [pytest]
        compose_file = deploy
        compose_scope = session
        compose_env = COLOUR=green
        compose_profiles = more
        compose_services = echo other
    """)
    body = """
        def test_it(compose_project, request):
            assert len(compose_project.ps()) == 2
            seen = request.config.__dict__.setdefault("seen", compose_project.name)
            assert seen == compose_project.name
            assert compose_project["echo"].exec("printenv COLOUR").stdout == "green\\n"
    """
    place.makepyfile(test_a=body, test_b=body)
    run(place).assert_outcomes(passed=2)
    assert left() == ()


def test_a_failing_test_shows_what_the_services_wrote(place: pytest.Pytester) -> None:
    place.makepyfile("""
        def test_bad(compose_project):
            compose_project["echo"].wait_healthy()
            for line in compose_project["echo"].follow():
                break
            assert False
    """)
    result = run(place)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Logs of compose project *", "echo-1 | it is grey"])
    assert left() == ()


def test_a_project_that_does_not_come_up_is_an_error_with_logs(place: pytest.Pytester) -> None:
    place.makefile(
        ".yaml",
        compose="services: {bad: {image: host, command: [sh, -c, 'echo I give up; exit 7']}}",
    )
    place.makepyfile("def test_it(compose_project): pass")
    result = run(place)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*exited (7)*", "*compose logs*", "bad-1 | I give up"])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert left() == ()


def test_workers_of_xdist_have_projects_of_their_own(place: pytest.Pytester) -> None:
    place.makepyfile("""
        import pytest

        @pytest.mark.compose(scope="session")
        @pytest.mark.parametrize("number", range(4))
        def test_it(compose_project, number, worker_id):
            path = f"{compose_project.name}.seen"
            with open(path, "a") as file:
                file.write(worker_id + "\\n")
            with open(path) as file:
                assert set(file.read().split()) == {worker_id}
            assert compose_project["echo"].exec("true").exit_code == 0
    """)
    run(place, "-p", "xdist", "-n", "2").assert_outcomes(passed=4)
    assert len(list(place.path.glob("*.seen"))) == 2
    eventually(lambda: left() == (), within_s=10)


@pytest.mark.parametrize("workers", [[], ["-p", "xdist", "-n", "1"]], ids=["alone", "xdist"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_nothing(
    workers: list[str], number: signal.Signals, place: pytest.Pytester
) -> None:
    place.makepyfile("""
        import time

        def test_it(compose_project):
            open("up", "w").close()
            time.sleep(60)
    """)
    command = [sys.executable, "-m", "pytest", "-p", "orchestra.pytest_plugin", *workers]
    with subprocess.Popen(
        command,
        cwd=place.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        eventually((place.path / "up").exists, within_s=30)
        assert len(left()) == 1
        os.killpg(process.pid, number)
    eventually(lambda: left() == (), within_s=30)
