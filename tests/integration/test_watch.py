"""`watch` and `up --watch` on real containers: what arrives, what goes, what is told."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import states, write_compose
from tests.support.eventually import eventually
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.harness.terminal import Terminal
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

COMPOSE = """
name: dev
services:
  web:
    image: host
    init: true
    command: [sh, -c, "echo up; exec sleep 600"]
    develop:
      watch:
        - {path: src, action: sync, target: /tmp/app, ignore: ["*.log"]}
        - {path: conf, action: sync+restart, target: /tmp/conf}
        - path: style
          action: sync+exec
          target: /tmp/style
          exec: {command: [sh, -c, "echo styled $$(cat /tmp/style/a.css)"]}
        - {path: flag, action: restart}
"""


@pytest.fixture
def project(orchestra: Orchestra) -> Orchestra:
    write_compose(orchestra, COMPOSE)
    write(orchestra, "src/old.txt", "old")
    return orchestra


@pytest.fixture
def watching(project: Orchestra, terminal: Callable[..., Terminal]) -> Terminal:
    opened = terminal("watch", cwd=project.directory)
    opened.expect("Watch enabled")
    return opened


def write(orchestra: Orchestra, name: str, text: str) -> str:
    path = os.path.join(orchestra.directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return path


def inside(orchestra: Orchestra, command: str) -> str:
    return orchestra("exec", "-T", "web", "sh", "-c", command, code=None).out


def sees(orchestra: Orchestra, command: str, wanted: str, *, within_s: float = 10) -> None:
    eventually(lambda: inside(orchestra, command) == wanted, within_s=within_s)


def test_files_are_synced_replaced_and_removed(project: Orchestra, watching: Terminal) -> None:
    file = write(project, "src/deep/er/main.py", "one")
    sees(project, "cat /tmp/app/deep/er/main.py", "one")
    assert 'Syncing service "web" after 3 changes were detected' in watching.read_all()
    temporary = write(project, "src/deep/er/main.py~", "two")
    os.chmod(temporary, 0o755)
    os.rename(temporary, file)
    sees(project, "cat /tmp/app/deep/er/main.py; stat -c %a /tmp/app/deep/er/main.py", "two755\n")
    os.symlink("main.py", os.path.join(project.directory, "src/deep/er/link"))
    sees(project, "readlink /tmp/app/deep/er/link", "main.py\n")
    shutil.rmtree(os.path.join(project.directory, "src/deep"))
    sees(project, "ls -A /tmp/app", "")
    write(project, "src/x.log", "no")
    write(project, "src/y.txt", "yes")
    sees(project, "ls -A /tmp/app", "y.txt\n")
    watching.type("\x03")
    watching.expect("Watch disabled")
    assert watching.wait() == 130
    assert list(states(project)) == ["dev-web-1"]


def test_restart_and_commands_after_a_sync(project: Orchestra, watching: Terminal) -> None:
    write(project, "style/a.css", "blue")
    watching.expect("styled blue")
    write(project, "conf/app.ini", "x=1")
    watching.expect('service(s) ["web"] restarted')
    sees(project, "cat /tmp/conf/app.ini", "x=1")
    assert inside(project, "cat /tmp/style/a.css") == "blue"
    write(project, "flag", "")
    eventually(lambda: watching.read_all().count('service(s) ["web"] restarted') == 2, within_s=10)


@pytest.mark.parametrize(
    ("start", "stays"), [("exec", False), ("trap '' INT; exec", True)], ids=["mild", "stubborn"]
)
def test_ctrl_c_ends_the_watch_during_a_command(
    project: Orchestra, terminal: Callable[..., Terminal], start: str, stays: bool
) -> None:
    plain = 'echo styled $$(cat /tmp/style/a.css)"'
    write_compose(project, COMPOSE.replace(plain, f'echo styling; {start} sleep 654"'))
    watching = terminal("watch", cwd=project.directory)
    watching.expect("Watch enabled")
    write(project, "style/a.css", "blue")
    watching.expect("styling")
    watching.type("\x03")
    assert watching.wait() == 130
    assert "Watch disabled" in watching.output
    commands = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"
    eventually(lambda: ("sleep 654" in inside(project, commands)) is stays, within_s=10)


def test_thousands_of_files_at_once(project: Orchestra, watching: Terminal) -> None:
    source = os.path.join(project.directory, "src")
    subprocess.run(
        ["/bin/sh", "-c", "mkdir a b; for n in $(seq 1500); do echo $n >a/$n; echo $n >b/$n; done"],
        cwd=source,
        check=True,
    )
    watching.expect("Large batch of file changes detected")
    sees(project, "find /tmp/app -type f | wc -l; cat /tmp/app/b/1500", "3000\n1500\n", within_s=30)
    shutil.rmtree(os.path.join(source, "a"))
    sees(project, "find /tmp/app -type f | wc -l", "1500\n", within_s=30)


def test_what_fails_is_told_and_the_rest_goes_on(
    project: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write_compose(
        project,
        """
        name: dev
        services:
          web:
            image: host
            init: true
            read_only: true
            tmpfs: [/tmp/app]
            command: [sleep, "600"]
            develop:
              watch:
                - {path: src, action: sync, target: /tmp/app}
                - {path: conf, action: sync, target: /usr/lib/conf}
        """,
    )
    watching = terminal("watch", cwd=project.directory)
    watching.expect("Watch enabled")
    write(project, "conf/a", "blue")
    watching.expect("Error handling changed files: container dev-web-1: /usr/lib/conf: Read-only")
    write(project, "src/a", "still")
    sees(project, "cat /tmp/app/a", "still")
    project("kill")
    write(project, "src/b", "")
    watching.expect('service "web" is not running')
    project("start")
    write(project, "src/b", "again")
    sees(project, "cat /tmp/app/b", "again")


def test_initial_sync_and_files_of_the_containers_user(
    project: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write_compose(
        project,
        """
        name: dev
        services:
          web:
            image: host
            init: true
            user: "1234:99"
            command: [sleep, "600"]
            develop:
              watch: [{path: src, action: sync, target: /tmp/app, initial_sync: true,
                       ignore: [skip]}]
        """,
    )
    write(project, "src/sub/file", "first")
    write(project, "src/skip/file", "no")
    opened = terminal("watch", cwd=project.directory)
    opened.expect("Watch enabled")
    script = "cd /tmp/app; find . -type f | sort; stat -c %u:%g sub sub/file"
    assert inside(project, script) == "./old.txt\n./sub/file\n1234:99\n1234:99\n"


def test_a_container_cannot_lead_a_sync_out_of_itself(
    project: Orchestra, watching: Terminal, tmp_path: os.PathLike[str]
) -> None:
    outside = os.path.join(tmp_path, "outside")
    os.makedirs(outside)
    inside(project, f"mkdir -p {tmp_path}; ln -s {outside} /tmp/app")
    write(project, "src/a", "mine")
    watching.expect("changes were detected")
    write(project, "src/a", "mine again")
    eventually(lambda: watching.read_all().count("Syncing") >= 2, within_s=10)
    assert os.listdir(outside) == []


def test_a_service_without_rules_is_refused(project: Orchestra) -> None:
    write_compose(project, "services: {web: {image: host, command: [sleep, '600']}}")
    assert "none of the selected services is configured for watch" in project("watch", code=1).err
    assert project("ps", "-aq").out == ""


def test_rebuild_needs_a_build(project: Orchestra) -> None:
    write_compose(
        project,
        "services: {web: {image: host, develop: {watch: [{path: ., action: rebuild}]}}}\n",
    )
    done = project("watch", code=1)
    assert 'can\'t watch service "web" with action rebuild' in done.err
    assert "compose.yaml:1:" in done.err


def test_the_limit_of_watches_is_named(project: Orchestra) -> None:
    project("up", "-d")
    for number in range(40):
        os.makedirs(os.path.join(project.directory, f"src/{number}"))
    limited = f"""
        echo 20 > /proc/sys/user/max_inotify_watches
        exec {PROGRAM} watch --no-up
    """
    done = project.through(
        ("unshare", "--user", "--map-root-user", "--keep-caps", "sh", "-c", limited), code=1
    )
    assert "all 20 inotify watches that the kernel allows this user are in use" in done.err
    assert "fix: `sysctl user.max_inotify_watches=1024`" in done.err


def test_rebuild_makes_new_containers(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write_compose(
        orchestra,
        """
        name: dev
        services:
          web:
            build: .
            init: true
            command: [sleep, "600"]
            develop:
              watch: [{path: ., action: rebuild, ignore: [other]}]
        """,
    )
    write(orchestra, "Dockerfile", "FROM host\nCOPY text Dockerfile /text/\n")
    write(orchestra, "text", "one")
    write(orchestra, ".dockerignore", "skipped\n")
    opened = terminal("watch", cwd=orchestra.directory)
    opened.expect("Watch enabled")
    assert inside(orchestra, "cat /text/text") == "one"
    write(orchestra, "skipped", "")
    write(orchestra, "other", "")
    write(orchestra, "text", "two")
    opened.expect('Rebuilding service(s) ["web"] after changes were detected...')
    opened.expect('service(s) ["web"] successfully built')
    sees(orchestra, "cat /text/text", "two", within_s=20)
    eventually(lambda: len(orchestra("image", "ls", "-aq").out.split()) <= 2, within_s=10)
    write(orchestra, "Dockerfile", "FROM host\nNONSENSE\n")
    opened.expect("Build failed. Error:")
    write(orchestra, "Dockerfile", "FROM host\nRUN echo three > /three\n")
    sees(orchestra, "cat /three", "three\n", within_s=20)
