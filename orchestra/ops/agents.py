"""An ssh agent with given keys, for as long as a build lasts; ssh-agent(1), ssh-add(1)."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from orchestra.errors import BuildError, NotFound
from orchestra.linux.prctl import set_parent_death_signal
from orchestra.linux.tool import run_tool

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMEOUT_S = 30.0
_MISSING = 127


@contextlib.contextmanager
def agent_with(keys: tuple[str, ...], directory: str) -> Iterator[str]:
    """The socket of an agent that has *keys*, in *directory*; it ends with us at the latest.

    Raises NotFound when OpenSSH is not installed, BuildError for a key that cannot be added.
    """
    socket = os.path.join(directory, "agent")
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        _become_agent(socket, write_end)
    os.close(write_end)
    try:
        with open(read_end, "rb") as pipe:
            is_ready = bool(pipe.readline())
        if not is_ready:
            raise NotFound(
                "ssh keys are given, and ssh-agent is not installed",
                fix="install it: apt-get install openssh-client; or give the socket of an agent",
            )
        for key in keys:
            _add(key, socket)
        yield socket
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def _become_agent(socket: str, output: int) -> None:
    """ssh-agent says where it listens once it does."""
    try:
        set_parent_death_signal(signal.SIGKILL)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(output, 1)
        os.dup2(0, 2)
        os.execvp("ssh-agent", ["ssh-agent", "-D", "-a", socket])  # noqa: S606, S607 (no shell)
    finally:
        os._exit(_MISSING)


def _add(key: str, socket: str) -> None:
    environ = {
        "PATH": os.environ.get("PATH", ""),
        "SSH_AUTH_SOCK": socket,
        "SSH_ASKPASS_REQUIRE": "never",
    }
    done = run_tool(("ssh-add", "-q", key), timeout_s=_TIMEOUT_S, environ=environ)
    if done.exit_code:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise BuildError(
            f"the ssh key {key} cannot be used: {said[-1] if said else 'ssh-add refuses it'}",
            fix="a key with a passphrase must be in an agent: ssh-add it, and give --ssh default",
        )
