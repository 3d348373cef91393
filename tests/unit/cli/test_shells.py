"""The completion scripts in real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.harness.terminal import Terminal

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
        "services: {api: {image: host}, web: {image: host}}\n"
    )
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


@needs_shell("zsh")
def test_zsh_completes_at_the_tab_key(env: dict[str, str]) -> None:
    zsh = shutil.which("zsh") or ""
    terminal = typed(
        env,
        [zsh, "-f", "-i"],
        "autoload -Uz compinit",
        "compinit -u -D",
        "source <(orchestra completion zsh)",
    )
    terminal.type("orchestra completion fi\t | head -c 6; exit\n")
    assert terminal.wait() == 0
    assert "# fish" in terminal.output


@needs_shell("bash")
def test_bash_completes_at_the_tab_key(env: dict[str, str]) -> None:
    bash = shutil.which("bash") or ""
    script = 'eval "$(orchestra completion bash)"'
    terminal = typed(env, [bash, "--norc", "--noprofile", "-i"], script)
    terminal.type("orchestra completion fi\t | head -c 6; exit\n")
    assert terminal.wait() == 0
    assert "# fish" in terminal.output
