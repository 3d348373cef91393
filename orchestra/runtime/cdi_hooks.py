"""Runs the hooks of CDI devices: programs of the host that finish the container's root.

NVIDIA's make links and the loader's cache. They run in the container's namespaces while "/" is
still the host's, and read from the bundle where the new root is (OCI runtime-spec config.md#posix-
platform-hooks, `createContainer`).
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
from typing import TYPE_CHECKING

from orchestra.linux.fds import Fd
from orchestra.named import NamedTuple
from orchestra.runtime.failure import BEFORE_EXEC, Failure, StepFailed

if TYPE_CHECKING:
    from orchestra.runtime.cdi import CdiHook
    from orchestra.runtime.mountops import RootDirectory

_MOST_OUTPUT = 4096
_PATIENCE_S = 60.0


class RunHook(NamedTuple):
    """A `MountOp` that runs *hook*; *bundle* is a directory of this container's on the host."""

    hook: CdiHook
    container: str
    bundle: str

    def describe(self) -> str:
        return f"run the hook {' '.join(self.hook.args)}"

    def apply(self, root: RootDirectory) -> None:
        with open(f"{self.bundle}/config.json", "w", encoding="utf-8") as file:
            json.dump({"ociVersion": "1.0.2", "root": {"path": root.mount_point}}, file)
        state = {
            "ociVersion": "1.0.2",
            "id": self.container,
            "status": "creating",
            "pid": os.getpid(),
            "bundle": self.bundle,
        }
        status, output = self._run(json.dumps(state).encode())
        if status != 0:
            text = output.decode(errors="replace").strip() or f"it ended with status {status}"
            raise StepFailed(Failure(BEFORE_EXEC, self.describe(), 0, self.hook.path, text, ""))

    def _run(self, state: bytes) -> tuple[int, bytes]:
        """Its exit code (-N: ended by signal N), and what it wrote. Raises OSError."""
        input_end, state_end = os.pipe2(os.O_CLOEXEC)  # holds the state: it is shorter than 64 KiB
        os.write(state_end, state)
        os.close(state_end)
        output = os.memfd_create("hook", os.MFD_CLOEXEC)  # however much it writes, it ends
        pid = os.fork()
        if pid == 0:
            try:
                os.dup2(input_end, 0)
                os.dup2(output, 1)
                os.dup2(output, 2)
                signal.pthread_sigmask(signal.SIG_SETMASK, ())  # ours are held for the container
                env = dict(each.partition("=")[::2] for each in self.hook.env)
                os.execve(self.hook.path, self.hook.args, env)  # noqa: S606
            except OSError as exc:
                os.write(2, f"{self.hook.path}: {exc.strerror}".encode())
            finally:
                os._exit(127)
        os.close(input_end)
        with Fd(output):
            return self._await(pid), os.pread(output, _MOST_OUTPUT, 0)

    def _await(self, pid: int) -> int:
        with Fd(os.pidfd_open(pid)) as pidfd:
            poll = select.poll()
            poll.register(pidfd.fileno(), select.POLLIN)
            if not poll.poll((self.hook.timeout_s or _PATIENCE_S) * 1000):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), self.hook.path)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
