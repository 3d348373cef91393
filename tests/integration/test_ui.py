"""`orchestra ui` on real containers: its screen by textual's own pilot, its shell in a terminal."""

from __future__ import annotations

import asyncio
import html
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from textual.widgets import RichLog

from orchestra import Project
from orchestra.cli.ui.app import View
from orchestra.cli.ui.observe import LINES, Observer
from orchestra.cli.ui.steer import Steering
from orchestra.wiring import host
from tests.integration.harness.terminal import Terminal
from tests.support.compose import write_compose
from tests.support.eventually import eventually
from tests.support.markdown import ROOT
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from textual.pilot import Pilot

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

COMPOSE = """
    name: shown
    services:
      api:
        image: host
        init: true
        command:
          - sh
          - -c
          - |
            echo the api is up
            while [ ! -e /tmp/flood ]; do sleep 0.1; done
            seq -f "line %.0f" 20000
            exec sleep inf
        stop_grace_period: 1s
        ports: ["8000"]
        healthcheck: {test: [CMD, "true"], interval: 200ms}
      worker:
        image: host
        init: true
        command: [sh, -c, "echo the worker is up; exec sleep inf"]
        stop_grace_period: 1s
"""


@pytest.fixture
def project(orchestra: Orchestra, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """Two services, up."""
    for name in ("ORCHESTRA_DATA_ROOT", "ORCHESTRA_RUN_ROOT"):
        monkeypatch.setenv(name, orchestra.env[name])
    path = write_compose(orchestra, COMPOSE)
    project = Project.load(path)
    with project.lease(stop_timeout=0):
        project.up(wait=True)
        yield project


def view_of(project: Project) -> View:
    return View(Observer(host(), project.target()), Steering(project.target(), os.environ))


def watch(project: Project, steps: Callable[[View, Pilot[None]], Awaitable[None]]) -> None:
    """Run *steps* on the screen of a view of *project*."""

    async def run() -> None:
        view = view_of(project)
        async with view.run_test(size=(100, 30), notifications=True) as pilot:
            await steps(view, pilot)

    asyncio.run(run())


async def until(pilot: Pilot[None], check: Callable[[], object], within_s: float = 15) -> None:
    """Let the view run until *check* holds."""
    deadline_s = asyncio.get_running_loop().time() + within_s
    while not check():
        assert asyncio.get_running_loop().time() < deadline_s, screen(pilot.app)
        await pilot.pause(0.05)


def screen(view: object) -> str:
    """What a person sees."""
    assert isinstance(view, View)
    width = view.size.width
    lines = (view.screen._compositor.render_strips()[row] for row in range(view.size.height))
    return "\n".join(line.text[:width].rstrip() for line in lines)


def test_states_usage_ports_and_logs_are_shown(project: Project) -> None:
    async def steps(view: View, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "healthy" in screen(view) and "MiB" in screen(view))
        await until(pilot, lambda: "the api is up" in screen(view))
        assert "2 of 2 running" in screen(view)
        assert str(project["api"].port(8000).port) in screen(view)
        await pilot.press("down")
        await until(pilot, lambda: "the worker is up" in screen(view))
        assert "the api is up" not in screen(view)
        assert "logs of worker-1" in screen(view)

    watch(project, steps)


def test_lines_appear_as_they_are_written_and_a_flood_does_not_stop_the_view(
    project: Project,
) -> None:
    async def steps(view: View, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "the api is up" in screen(view))
        project["api"].exec("touch /tmp/flood", check=True)
        await until(pilot, lambda: "line 20000" in screen(view))
        assert len(view.query_one(RichLog).lines) <= LINES
        await pilot.press("down")
        await until(pilot, lambda: "the worker is up" in screen(view))

    watch(project, steps)


def test_keys_stop_start_and_restart_the_selected_service(project: Project) -> None:
    async def steps(view: View, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "worker-1" in screen(view))
        await pilot.press("down", "t")
        await until(pilot, lambda: "exited (" in screen(view) and "1 of 2 running" in screen(view))
        await until(pilot, lambda: "Stop worker: done" in screen(view))
        await pilot.press("s")
        await until(pilot, lambda: "2 of 2 running" in screen(view))
        before = project["worker"].container().started_ns
        await until(pilot, lambda: "Start worker: done" in screen(view))
        await pilot.press("r")
        await until(pilot, lambda: "Restart worker: done" in screen(view))
        assert project["worker"].container().started_ns > before
        assert project["api"].container().started_ns < before

    watch(project, steps)


def test_typing_filters_the_table(project: Project) -> None:
    async def steps(view: View, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "api-1" in screen(view))
        await pilot.press("slash", *"work")
        await until(pilot, lambda: "api-1" not in screen(view))
        assert "the worker is up" in screen(view)
        await pilot.press("enter", "s")  # a key again, no letter of the filter
        await until(pilot, lambda: "Start worker" in screen(view))
        await pilot.press("escape")
        await until(pilot, lambda: "api-1" in screen(view))

    watch(project, steps)


def test_it_survives_resize_and_the_project_going_away_and_coming_back(project: Project) -> None:
    async def steps(view: View, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "the api is up" in screen(view))
        for size in ((30, 8), (1, 1), (200, 60)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        await asyncio.to_thread(project.down, stop_timeout=0)
        await until(pilot, lambda: "not created" in screen(view))
        assert "nothing is there: `orchestra up -d`" in screen(view)
        await pilot.press("s")
        await until(pilot, lambda: "has no container to start" in screen(view))
        await pilot.press("e")
        await until(pilot, lambda: "there is no shell in it" in screen(view))
        await asyncio.to_thread(project.up)
        await until(pilot, lambda: "2 of 2 running" in screen(view))
        await until(pilot, lambda: "the api is up" in screen(view))

    watch(project, steps)


def test_a_shell_takes_the_terminal_and_gives_it_back(
    project: Project, orchestra: Orchestra
) -> None:
    view = Terminal([PROGRAM, "ui"], cwd=orchestra.directory, env=orchestra.env, size=(30, 100))
    try:
        view.expect("the api is up")
        view.type("e")
        view.expect(":/# ")
        view.type("hostname\n")
        view.expect(project["api"].container().id[:12])
        view.type("exit 7\n")
        marker = len(view.output)
        eventually(lambda: "2 of 2 running" in view.read_all()[marker:], within_s=15)
        view.resize((20, 60))
        view.type("q")
        assert view.wait() == 0
        assert "Traceback" not in view.output
    finally:
        view.close()


def test_ctrl_c_ends_it_and_the_terminal_is_as_before(
    project: Project, orchestra: Orchestra
) -> None:
    assert project.ps()
    view = Terminal([PROGRAM, "ui", "api"], cwd=orchestra.directory, env=orchestra.env)
    try:
        view.expect("the api is up")
        assert "worker" not in view.output
        view.type("\x03")
        assert view.wait() == 0
    finally:
        view.close()


def test_without_a_terminal_it_says_what_prints_to_pipes(orchestra: Orchestra) -> None:
    result = orchestra("-p", "shown", "ui", code=1)
    assert result.err == (
        "`orchestra ui` needs a terminal\n"
        "  fix: `orchestra ps`, `orchestra stats` and `orchestra logs` print to pipes and files\n"
    )


def test_without_textual_it_says_how_to_install_it(orchestra: Orchestra) -> None:
    program = (
        "import sys; sys.modules['textual'] = None; from orchestra.cli.main import main; main()"
    )
    argv = [sys.executable, "-c", program, "-p", "shown", "ui"]
    view = Terminal(argv, cwd=orchestra.directory, env=orchestra.env)
    try:
        assert view.wait() == 1
        assert "pip install 'orchestra[ui]'" in view.output
    finally:
        view.close()


def test_a_service_that_is_not_there_is_told_before_the_screen_is_taken(
    project: Project, orchestra: Orchestra
) -> None:
    assert project.ps()
    view = Terminal([PROGRAM, "ui", "wed"], cwd=orchestra.directory, env=orchestra.env)
    try:
        assert view.wait() == 1
        assert 'no such service: "wed"' in view.output
        assert "\x1b[?1049h" not in view.output
    finally:
        view.close()


def test_the_picture_of_the_page_can_be_made_again(orchestra: Orchestra) -> None:
    path = os.path.join(orchestra.directory, "ui.svg")
    programs = f"{os.path.dirname(sys.executable)}:{orchestra.env['PATH']}"
    subprocess.run(
        [f"{ROOT}/docs/make_ui_screenshot.sh", path],
        env={**orchestra.env, "PATH": programs},
        capture_output=True,
        timeout=100,
        check=True,
    )
    with open(path, encoding="utf-8") as file:
        drawn = html.unescape(file.read()).replace("\xa0", " ")
    assert "healthy" in drawn
    assert "logs of worker-1" in drawn
