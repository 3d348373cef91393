"""What the view's keys do to services: in processes of their own, as the view's has threads."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from orchestra.project_api import tasks
from orchestra.project_api.errand import Errand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.cli.ui.rows import Row
    from orchestra.ops.target import Target
    from orchestra.plan.events import Progress

SHELL = "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi"
NO_SHELL = (125, 126, 127)


class Steering:
    """Start, stop and restart services of *project*, and open shells in its containers."""

    def __init__(self, project: Target, environ: Mapping[str, str]) -> None:
        """*environ* is that of the processes that do it."""
        self._project = project
        self._environ = environ

    def start(self, row: Row) -> None:
        """Raises OrchestraError, as the others."""
        self._do(row, tasks.start)

    def stop(self, row: Row) -> None:
        self._do(row, tasks.stop, timeout_s=None)

    def restart(self, row: Row) -> None:
        self._do(row, tasks.restart, timeout_s=None)

    def shell(self, row: Row) -> int:
        """A shell on this process's terminal, until it is left; its exit code."""
        number = str(row.container.number) if row.container is not None else "0"
        name = self._project.project
        command = ["-p", name, "exec", "--index", number, row.service, "sh", "-c", SHELL]
        done = subprocess.run(
            [sys.executable, "-m", "orchestra", *command], env=dict(self._environ), check=False
        )
        return done.returncode

    def _do(self, row: Row, task: Callable[..., None], **arguments: object) -> None:
        chosen = self._project._replace(services=(row.service,))
        Errand(self._environ).run(_unheard, task, chosen, **arguments)


def _unheard(_progress: Progress) -> None:
    """The table shows what happens."""
