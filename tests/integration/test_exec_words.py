"""`exec` and `run`, flag by flag: what the command finds, by itself and beside Docker Compose."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.attributes.case import IMAGE, images
from tests.support.docker_engine import DockerEngine, find_compose, why_no_engine
from tests.support.eventually import eventually
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.integration.harness.terminal import Terminal
    from tests.support.scenario import Orchestra

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox-static"),
]

_ERRORS = ("OCI runtime exec failed", "unable to find user")
_COMPOSE = find_compose() or ""
COMPOSE = f"""
name: words
services:
  a:
    image: "{IMAGE}"
    init: true
    command: [sleep, "1000"]
    environment: {{KEPT: service, CHANGED: service}}
    working_dir: /srv
    cap_drop: [CHOWN]
    scale: 2
    stop_grace_period: 0s
"""
SHOW = 'id; pwd; echo $KEPT $CHANGED ${UNSET-unset}; grep CapEff /proc/self/status | tr -d "\\t"'
_WHO = "echo $HOME; tty >/dev/null || echo no terminal"

STEPS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("exec", "-T", "a", "sh", "-c", SHOW), ""),
    (("exec", "-T", "-e", "CHANGED=now", "-e", "UNSET=", "a", "sh", "-c", SHOW), ""),
    (("exec", "-T", "--env", "KEPT", "a", "sh", "-c", SHOW), ""),
    (("exec", "-T", "-u", "app", "a", "sh", "-c", f"{SHOW}; {_WHO}"), ""),
    (("exec", "-T", "--user", "1234:60", "a", "sh", "-c", SHOW), ""),
    (("exec", "-T", "-u", "nobody-here", "a", "true"), ""),
    (("exec", "-T", "-w", "/tmp", "a", "pwd"), ""),
    (("exec", "-T", "--workdir", "/not/there", "a", "pwd"), ""),
    (("exec", "-T", "a", "cat"), "through\n"),
    (("exec", "-T", "a", "sh", "-c", "read first; echo $first; cat | wc -c"), "one\ntwo\n"),
    (("exec", "-T", "a", "sh", "-c", "echo out; echo err >&2; exit 9"), ""),
    (("exec", "-T", "a", "sh", "-c", "kill -9 $$"), ""),
    (("exec", "-T", "a", "sh", "-c", "kill -TERM $$"), ""),
    (("exec", "-T", "a", "not-there"), ""),
    (("exec", "-T", "a", "/etc/passwd"), ""),
    (("exec", "-T", "a", "/etc"), ""),
    (("exec", "-T", "--index", "2", "a", "hostname"), ""),
    (("exec", "-T", "--index", "3", "a", "true"), ""),
    (("exec", "-T", "nowhere", "true"), ""),
    (("exec", "-T", "a"), ""),
    (("exec", "-d", "a", "sh", "-c", "echo detached > /tmp/made"), ""),
    (("exec", "-d", "a", "sh", "-c", "exit 4"), ""),
    (("run", "--rm", "-T", "-e", "CHANGED=now", "-u", "app", "a", "sh", "-c", SHOW), ""),
    (("run", "--rm", "-T", "-w", "/tmp", "a", "sh", "-c", SHOW), ""),
    (("run", "--rm", "-T", "--entrypoint", "echo", "a", "word"), ""),
    (("run", "--rm", "-T", "a", "sh", "-c", "cat; exit 6"), "given\n"),
    (("run", "--rm", "-T", "a", "not-there"), ""),
    (("run", "--rm", "-T", "--name", "mine", "a", "hostname"), ""),
    (("run", "--rm", "-T", "--cap-add", "CHOWN", "--cap-drop", "KILL", "a", "sh", "-c", SHOW), ""),
    (("run", "--rm", "-T", "-l", "x=y", "-v", "/var/tmp:/host:ro", "a", "ls", "-d", "/host"), ""),
)  # fmt: skip


OTHERWISE = frozenset((("exec", "-T", "a", "not-there"), ("exec", "-T", "a", "/etc/passwd")))
"""Newer Docker Engines exit with 127 for the first; 20.10 exits with 1 for the second."""


class Told:
    """What a step came to; hidden is what differs from container to container."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out = done.returncode, done.stdout
        if done.stdout.startswith(_ERRORS):  # Docker writes them where the output goes
            self.out = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Told) and (self.code, self.out) == (other.code, other.out)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"exit {self.code}: {self.out!r}"


def steps(argv: Sequence[str], env: dict[str, str], directory: str) -> list[Told]:
    """Run all STEPS in a project of *directory*."""

    def run(*arguments: str, stdin: str = "") -> Told:
        return Told(
            subprocess.run(
                [*argv, *arguments], cwd=directory, env={**env, "KEPT": "mine"}, input=stdin,
                capture_output=True, text=True, timeout=60, check=False,
            )
        )  # fmt: skip

    assert run("up", "-d").code == 0
    try:
        told = [run(*step, stdin=stdin) for step, stdin in STEPS]
        made = eventually(lambda: run("exec", "-T", "a", "cat", "/tmp/made").out, within_s=5)
        assert made == "detached\n"
        for each, (step, _) in zip(told, STEPS, strict=True):
            if "hostname" in step:
                each.out = f"{len(each.out)} characters"
        return told
    finally:
        run("down", "-t", "0")


@pytest.fixture
def project(orchestra: Orchestra) -> Orchestra:
    path = os.path.join(orchestra.directory, "image.tar")
    with open(path, "wb") as file:
        file.write(images()[0])
    orchestra("image", "load", "-i", path)
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(COMPOSE)
    return orchestra


def test_flags_of_exec_and_run(project: Orchestra) -> None:
    told = dict(
        zip(
            (step for step, _ in STEPS),
            steps([PROGRAM], project.env, project.directory),
            strict=True,
        )
    )
    root = "uid=0(root) gid=0(root) groups=0(root)\n"
    caps = "CapEff:00000000a80425fa\n"
    shown = {step[1:]: each.out for step, each in told.items() if SHOW in step}
    assert shown["-T", "a", "sh", "-c", SHOW] == f"{root}/srv\nservice service unset\n{caps}"
    changed = shown["-T", "-e", "CHANGED=now", "-e", "UNSET=", "a", "sh", "-c", SHOW]
    assert changed == f"{root}/srv\nservice now\n{caps}"
    assert "mine service unset" in shown["-T", "--env", "KEPT", "a", "sh", "-c", SHOW]
    as_other = shown["-T", "--user", "1234:60", "a", "sh", "-c", SHOW]
    assert as_other.startswith("uid=1234 gid=60(staff)")
    assert as_other.endswith("CapEff:0000000000000000\n")
    codes = {" ".join(step[2:]): each.code for step, each in told.items() if step[0] == "exec"}
    assert codes["a sh -c kill -9 $$"] == 137
    assert codes["a sh -c kill -TERM $$"] == 143
    assert codes["a not-there"] == 127
    assert codes["-u nobody-here a true"] == codes["--workdir /not/there a pwd"] == 126
    assert codes["a /etc/passwd"] == codes["a /etc"] == 126


def test_privileged_exec_may_what_its_container_may_not(project: Orchestra) -> None:
    project("up", "-d")
    ask = "grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status | tr -d '\\t'"
    plain = project("exec", "-T", "a", "sh", "-c", ask).out
    privileged = project("exec", "-T", "--privileged", "a", "sh", "-c", ask).out
    assert "CapEff:00000000a80425fa" in plain
    with open("/proc/self/status") as file:
        bounding = next(line.split()[1] for line in file if line.startswith("CapBnd:"))
    assert f"CapEff:{bounding}" in privileged
    made = project("exec", "-T", "a", "mknod", "/tmp/disk", "b", "7", "0", code=None)
    assert made.code == 0  # MKNOD is there, the right to open it is not
    assert project("exec", "-T", "a", "head", "-c1", "/tmp/disk", code=1).err


def test_a_window_that_changes_is_told(
    project: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    project("up", "-d")
    shell = terminal("exec", "a", "sh", cwd=project.directory)
    shell.resize((33, 101))
    shell.type("stty size\r")
    shell.expect("33 101")
    shell.type("trap 'echo changed' WINCH; while :; do sleep 0.05; done\r")
    shell.resize((44, 122))
    shell.expect("changed")


@pytest.mark.slow
@pytest.mark.docker
@pytest.mark.skipif(
    bool(why_no_engine() or not _COMPOSE), reason="needs dockerd and Docker Compose 2"
)
def test_docker_compose_does_the_same(project: Orchestra) -> None:
    ours = steps([PROGRAM], project.env, project.directory)
    with DockerEngine() as engine:
        load = ["docker", "-H", engine.host, "load", "-i"]
        subprocess.run([*load, f"{project.directory}/image.tar"], check=True, capture_output=True)
        theirs = steps([_COMPOSE], engine.environ, project.directory)
    differing = [
        f"{' '.join(step)}\n  docker    {their}\n  orchestra {mine}"
        for (step, _), their, mine in zip(STEPS, theirs, ours, strict=True)
        if their != mine and step not in OTHERWISE
    ]
    assert not differing, "\n".join(differing)
