"""What a command is given beside its own arguments: the global options and the terminal."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.cli.globals import GlobalOptions
    from orchestra.model.source import Position, SourceMap, TreePath
    from orchestra.ops.host import Host


class Context:
    """One invocation of `orchestra`."""

    __slots__ = ("_host", "cwd", "environ", "find_sources", "options", "sources")

    def __init__(self, options: GlobalOptions, environ: Mapping[str, str], cwd: str) -> None:
        self.options = options
        self.environ = environ
        self.cwd = cwd
        self.sources: SourceMap | None = None  # of the compose file, once it has been loaded
        self.find_sources: Callable[[Context], SourceMap] | None = None  # of a recalled project
        self._host: Host | None = None

    def host(self) -> Host:
        """This machine, as the use cases see it."""
        if self._host is None:
            from orchestra.wiring import host

            self._host = host(parallel=self.options.parallel)
        return self._host

    @property
    def colour(self) -> bool:
        """May stdout carry colours?"""
        return self._colour_on(1)

    @property
    def colour_stderr(self) -> bool:
        return self._colour_on(2)

    @property
    def width(self) -> int:
        """Columns of the terminal, 80 without one."""
        return terminal_width(1)

    def place_of(self, path: TreePath) -> Position | None:
        """Where the compose file says *path*, if a project has been loaded or recalled."""
        if self.sources is None and self.find_sources is not None:
            from orchestra.errors import OrchestraError

            try:
                self.sources = self.find_sources(self)
            except OrchestraError:  # it has just been changed
                return None
        return None if self.sources is None else self.sources.value(path)

    def refuse_dry_run(self) -> None:
        """For commands that cannot go through what they would do. Raises Unsupported."""
        if self.options.dry_run:
            from orchestra.errors import Unsupported

            raise Unsupported("this command has no dry run", fix="leave --dry-run out")

    def _colour_on(self, fd: int) -> bool:
        if self.options.ansi == "auto":
            return is_terminal(fd) and self.environ.get("TERM") != "dumb"
        return self.options.ansi == "always"


def is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False


def terminal_width(fd: int) -> int:
    try:
        return os.get_terminal_size(fd).columns or 80
    except OSError:
        return 80


def write(text: str) -> None:
    """Put *text* on stdout, the command's result."""
    sys.stdout.write(text)
