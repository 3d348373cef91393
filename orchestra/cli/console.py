"""The person at a foreground `up`: keys, the menu below the logs, and the watch they switch."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from orchestra.cli.context import is_terminal
from orchestra.cli.keyboard import Keyboard, is_foreground
from orchestra.cli.render.menu import Menu
from orchestra.ops.beside import Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.cli.render.logs import LogPrinter
    from orchestra.model.project import Project
    from orchestra.ops.watch_worker import WatchWorker

NO_WATCH = "Watch →  no service has a `develop.watch` section"
NO_DESKTOP = "View →  no Docker Desktop here: `orchestra ps` and `orchestra logs` show the project"
NO_CONFIG_VIEW = "View Config →  `orchestra config` prints it"


def wants_menu(args: Args, context: Context) -> bool:
    """On a terminal, unless --menu=false, COMPOSE_MENU or the kind of output says otherwise."""
    if not (is_terminal(0) and is_terminal(1) and is_foreground()):
        return False
    options = context.options
    if options.ansi == "never" or options.progress not in ("auto", "tty"):
        return False
    if context.environ.get("TERM") == "dumb":
        return False
    if "menu" in args.given:
        return args.on("menu")
    said = context.environ.get("COMPOSE_MENU")
    return said is None or said.lower() in ("1", "true", "yes", "y")


class Console:
    """`ops.beside.Beside` for `up`; with *keys* it reads the keyboard."""

    def __init__(
        self,
        context: Context,
        project: Project,
        services: tuple[str, ...],
        printer: LogPrinter,
        *,
        keys: bool,
        watches: bool,
    ) -> None:
        self._context = context
        self._project = project
        self._services = services
        self._printer = printer
        self._watches = watches
        self._worker: WatchWorker | None = None
        self._menu = Menu(colour=context.colour)
        self._keyboard = Keyboard(leave=self._leave, enter=self._enter) if keys else None

    def clear(self) -> None:
        """Somebody is about to write to the terminal."""
        self._menu.clear()

    # -- Beside -----------------------------------------------------------------------------------
    def attached(self) -> None:
        if self._keyboard is not None:
            self._keyboard.open()
            signal.signal(signal.SIGWINCH, self._on_resize)

    def running(self) -> None:
        if self._watches:
            self._start_watch()

    def rest(self) -> tuple[int, ...]:
        sys.stdout.flush()
        sys.stderr.flush()
        self._menu.draw()
        keys = self._keyboard.filenos() if self._keyboard is not None else ()
        return keys + (self._worker.filenos() if self._worker is not None else ())

    def step(self, ready: frozenset[int]) -> Wish:
        if self._worker is not None:
            self._tell(self._worker.lines())
            if self._worker.has_ended:
                self._worker = None
                self._set_watching(on=False)
        if self._keyboard is not None and ready.intersection(self._keyboard.filenos()):
            for key in self._keyboard.read():
                wish = self._press(key)
                if wish is not Wish.NOTHING:
                    return wish
        return Wish.NOTHING

    def is_busy(self) -> bool:
        return self._worker is not None and self._worker.is_busy

    def end(self) -> None:
        if self._keyboard is not None:
            self._keyboard.close()
            signal.signal(signal.SIGWINCH, signal.SIG_DFL)
        self._stop_watch()

    # -- keys -------------------------------------------------------------------------------------
    def _press(self, key: str) -> Wish:
        if key == "d":
            return Wish.DETACH
        if key in ("q", "\x03"):
            return Wish.STOP
        if key == "w":
            self._toggle_watch()
        elif key in _ANSWERS:
            self._say(_ANSWERS[key])
        elif key in "\r\n":
            self._write("\n")
        return Wish.NOTHING

    def _toggle_watch(self) -> None:
        from orchestra.ops.watch import is_watchable

        if self._worker is not None:
            self._stop_watch()
        elif is_watchable(self._project, self._services):
            self._start_watch()
        else:
            self._say(NO_WATCH)

    # -- the watch --------------------------------------------------------------------------------
    def _start_watch(self) -> None:
        from orchestra.ops.watch import WatchOptions
        from orchestra.ops.watch_worker import WatchWorker

        sys.stdout.flush()  # or the child would write it a second time
        options = WatchOptions(self._services)
        self._worker = WatchWorker(self._context.host(), self._project, options)
        self._set_watching(on=True)

    def _stop_watch(self) -> None:
        if self._worker is not None:
            self._tell(self._worker.stop())
            self._worker = None
            self._set_watching(on=False)

    def _set_watching(self, *, on: bool) -> None:
        self._menu.clear()
        self._menu.watching = on

    # -- output -----------------------------------------------------------------------------------
    def _tell(self, lines: Iterator[str]) -> None:
        for line in lines:
            self._say(line)

    def _say(self, text: str) -> None:
        self._menu.clear()
        self._printer.aside(text)

    def _write(self, text: str) -> None:
        self._menu.clear()
        sys.stdout.write(text)
        sys.stdout.flush()

    def _leave(self) -> None:
        self._menu.clear()
        self._menu.is_enabled = False

    def _enter(self) -> None:
        self._menu.is_enabled = True
        self._menu.draw()

    def _on_resize(self, _number: int, _frame: FrameType | None) -> None:
        self._menu.redraw()


_ANSWERS = {"v": NO_DESKTOP, "o": NO_CONFIG_VIEW}


def guarded(console: Console, function: Callable[..., None]) -> Callable[..., None]:
    """*function*, which writes to the terminal, without the menu in its way."""

    def clearly(*arguments: object) -> None:
        console.clear()
        function(*arguments)

    return clearly
