"""The completion scripts in real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from orchestra.layout import Layout
from tests.integration.harness.terminal import Terminal
from tests.support.markdown import blocks
from tests.support.named import have_names

if TYPE_CHECKING:
    from pathlib import Path


def needs_shell(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"needs the program {name}")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment with `orchestra` on its PATH, and a project in the directory `demo`."""
    program = tmp_path / "bin" / "orchestra"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m orchestra "$@"\n')
    program.chmod(0o755)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "compose.yaml").write_text(
        "services: {api: {image: host}, web: {image: host}, tool: {image: host, profiles: [extra]}}"
    )
    have_names(Layout(str(tmp_path / "data"), str(tmp_path / "run")))
    return {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "HOME": str(tmp_path),
        "TERM": "xterm",
        "LANG": "C.UTF-8",
        "ORCHESTRA_DATA_ROOT": str(tmp_path / "data"),
        "ORCHESTRA_RUN_ROOT": str(tmp_path / "run"),
    }


def output(env: dict[str, str], *argv: str) -> str:
    done = subprocess.run(
        argv,
        cwd=os.path.join(env["HOME"], "demo"),
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


BASH = """
eval "$(orchestra completion bash)"
compopt() { :; }
COMP_WORDS=("$@") COMP_CWORD=$(($#-1))
_orchestra
printf '%s\\n' "${COMPREPLY[@]}"
"""


@needs_shell("bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("paus",), ["pause"]),
        (("up", ""), ["api", "web"]),
        (("up", "--exit-code-from", "=", "w"), ["web"]),
        (("up", "--exit-code-from", "="), ["api", "web"]),
        (("image", "rm", "any", ":", "1"), []),
        (("up", "--scale", "w"), ["web="]),
        (("-f", "comp"), ["compose.yaml"]),
        (("cp", "w"), ["web:"]),
        (("cp", "web:/x", "comp"), ["compose.yaml"]),
        (("cp", ""), ["api:", "web:", "compose.yaml"]),
        (("image", "rm", "r"), ["redis:7", "registry:2"]),
        (("image", "rm", "redis", ":"), ["7"]),
        (("image", "rm", "registry", ":", "2"), ["2"]),
        (("run", "-v", "sha"), ["shared:"]),
        (("volume", "rm", ""), ["shared"]),
        (("network", "rm", "ed"), ["edge"]),
        (("container", "commit", "de"), ["demo-web-1"]),
        (("--profile", "ex"), ["extra"]),
        (("kill", "-s", "HU"), ["HUP"]),
    ],
    ids=lambda words: " ".join(words),
)
def test_bash_gets_the_candidates(
    env: dict[str, str], words: tuple[str, ...], expected: list[str]
) -> None:
    shown = output(env, "bash", "--norc", "-c", BASH, "bash", "orchestra", *words)
    assert shown.split() == expected


@needs_shell("fish")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("paus", ["pause\tPause services"]),
        ("up ", ["api", "web"]),
        ("up --exit-code-from=w", ["--exit-code-from=web"]),
        ("-f comp", ["compose.yaml"]),
        ("cp w", ["web:"]),
        ("cp web:/x comp", ["compose.yaml"]),
        ("image rm r", ["redis:7", "registry:2"]),
        ("volume rm ", ["shared"]),
        ("network rm ed", ["edge"]),
        ("container commit de", ["demo-web-1"]),
        ("--profile ex", ["extra"]),
    ],
)
def test_fish_gets_the_candidates(env: dict[str, str], line: str, expected: list[str]) -> None:
    script = "orchestra completion fish | source; complete -C $argv[1]"
    assert output(env, "fish", "-c", script, f"orchestra {line}").splitlines() == expected


def typed(env: dict[str, str], argv: list[str], *setup: str) -> Terminal:
    """A shell at its prompt, after the lines of *setup*."""
    terminal = Terminal(argv, cwd=os.path.join(env["HOME"], "demo"), env=env)
    terminal.type("; ".join((*setup, "PS1='> '", "echo rea''dy")) + "\n")
    terminal.expect("ready")
    return terminal


ZSH = ("autoload -Uz compinit", "compinit -u -D", "source <(orchestra completion zsh)")


@needs_shell("zsh")
def test_zsh_completes_at_the_tab_key(env: dict[str, str]) -> None:
    terminal = typed(env, [shutil.which("zsh") or "", "-f", "-i"], *ZSH)
    terminal.type("orchestra completion fi\t | head -c 6; exit\n")
    assert terminal.wait() == 0
    assert "# fish" in terminal.output


@needs_shell("zsh")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("paus\t", "pause"),
        ("up w\t", "up web"),
        ("up --exit-code-from=w\t", "up --exit-code-from=web"),
        ("up --scale w\t2", "up --scale web=2"),
        ("cp w\t/etc/hosts comp\t", "cp web:/etc/hosts compose.yaml"),
        ("image rm red\t", "image rm redis:7"),
        ("run -v sh\t/data", "run -v shared:/data"),
        ("volume rm s\t", "volume rm shared"),
        ("network rm e\t", "network rm edge"),
        ("container commit d\t", "container commit demo-web-1"),
        ("--profile ex\t up too\t", "--profile extra up tool"),
    ],
)
def test_zsh_writes_what_can_only_be_meant(env: dict[str, str], line: str, expected: str) -> None:
    terminal = typed(env, [shutil.which("zsh") or "", "-f", "-i"], *ZSH)
    to_start = "\x01"
    terminal.type(f"orchestra {line}{to_start}print -rl -- \n")
    terminal.expect("\r\n".join(("orchestra", *expected.split())))
    terminal.type("exit\n")
    assert terminal.wait() == 0


@pytest.mark.parametrize(
    ("shell", "shown"),
    [("bash", "complete -p orchestra"), ("zsh", "print $_comps[orchestra]"),
     ("fish", "complete -c orchestra")],
)  # fmt: skip
def test_the_lines_on_the_page_about_installing(
    env: dict[str, str], shell: str, shown: str
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs the program {shell}")
    (line,) = (
        line
        for block in blocks("docs/install.md")
        for line in block.text.splitlines()
        if f"completion {shell}" in line
    )
    before = "autoload -Uz compinit; compinit -u -D" if shell == "zsh" else "true"
    script = f"{before}\n{line}\n{shown}"
    assert "_orchestra" in output(env, shell, "-c", script)


@needs_shell("bash")
def test_bash_completes_at_the_tab_key(env: dict[str, str]) -> None:
    bash = shutil.which("bash") or ""
    script = 'eval "$(orchestra completion bash)"'
    terminal = typed(env, [bash, "--norc", "--noprofile", "-i"], script)
    terminal.type("orchestra completion fi\t | head -c 6; exit\n")
    assert terminal.wait() == 0
    assert "# fish" in terminal.output
