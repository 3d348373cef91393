"""The installed command as a test uses it; a transcript of all it did is shown when one fails."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAM = os.path.join(os.path.dirname(sys.executable), "orchestra")
"""The installed command of this Python's environment."""


class Result(NamedTuple):
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


class Orchestra:
    """The installed command, run in *directory* with data and run roots of its own."""

    def __init__(self, directory: str, env: Mapping[str, str]) -> None:
        self.directory = directory
        self.env = dict(env)
        self.transcript: list[str] = []

    def __call__(
        self,
        *arguments: str,
        code: int | None = 0,
        stdin: str | None = None,
        timeout_s: float = 60,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run `orchestra ARGUMENTS`; its exit code must be *code* unless that is None."""
        argv = (PROGRAM, *arguments)
        return self._run(argv, code=code, stdin=stdin, timeout_s=timeout_s, env=env)

    def through(self, wrapper: Sequence[str], *arguments: str, code: int) -> Result:
        """The same by way of another program, such as setpriv(1)."""
        argv = (*wrapper, PROGRAM, *arguments)
        return self._run(argv, code=code, stdin=None, timeout_s=60, env=None)

    def _run(
        self,
        argv: Sequence[str],
        *,
        code: int | None,
        stdin: str | None,
        timeout_s: float,
        env: Mapping[str, str] | None,
    ) -> Result:
        done = subprocess.run(
            argv,
            cwd=self.directory,
            env={**self.env, **(env or {})},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
        result = Result(done.returncode, done.stdout, done.stderr)
        self.transcript.append(f"$ {' '.join(argv)}\n{result.out}{result.err}[exit {result.code}]")
        if code is not None:
            assert result.code == code, self.story()
        return result

    def at(self, directory: str) -> Orchestra:
        """The same command in another directory, with the same transcript."""
        other = Orchestra(directory, self.env)
        other.transcript = self.transcript
        return other

    def story(self) -> str:
        """All that happened, and what the supervisors logged."""
        return "\n".join([*self.transcript, *self._supervisor_logs()])

    def _supervisor_logs(self) -> list[str]:
        texts: list[str] = []
        for root, _directories, files in os.walk(self.env["ORCHESTRA_DATA_ROOT"]):
            if "supervisor.log" in files:
                path = os.path.join(root, "supervisor.log")
                with open(path, errors="replace") as file:
                    texts.append(f"--- {path}\n{file.read()[-4000:]}")
        return texts
