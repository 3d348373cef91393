"""The live view of `orchestra ui`: a table of containers, the log of the selected one, and keys."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SuspendNotSupported
from textual.binding import Binding
from textual.widgets import DataTable, Footer, Header, Input, RichLog

from orchestra.cli.ui.observe import LINES
from orchestra.cli.ui.rows import COLUMNS, Row, matching, summary
from orchestra.cli.ui.steer import NO_SHELL
from orchestra.cli.ui.text import cell, log_line
from orchestra.errors import OrchestraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from orchestra.cli.ui.observe import LogTail, Observer
    from orchestra.cli.ui.steer import Steering

EVERY_S = 1.0
"""How often states and usage are looked at; logs come as they are written."""


class View(App[None]):
    """Draws what *observer* sees; *steering* does what the keys ask."""

    CSS = """
    DataTable { height: 1fr; max-height: 50%; }
    RichLog { height: 1fr; border: round $primary; padding: 0 1; }
    #filter { display: none; }
    #filter.open { display: block; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = [
        Binding("e", "shell", "Shell"),
        Binding("r", "restart", "Restart"),
        Binding("s", "start", "Start"),
        Binding("t", "stop", "Stop"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("escape", "unfilter", "Clear", show=False),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(self, observer: Observer, steering: Steering) -> None:
        super().__init__()
        self.title = observer.project
        self._observer = observer
        self._steering = steering
        self._rows: tuple[Row, ...] = ()
        self._shown: tuple[Row, ...] = ()
        self._followed = ""  # the id of the container whose log is shown
        self._tail: LogTail | None = None
        # kept, not queried: what comes while the screen is taken apart finds them too
        self._table: DataTable[object] = DataTable(cursor_type="row", zebra_stripes=True)
        self._log_pane = RichLog(max_lines=LINES, wrap=True, auto_scroll=True)
        self._filter = Input(placeholder="filter by name, state, health or port", id="filter")

    def compose(self) -> ComposeResult:
        """The widgets, from top to bottom."""
        yield Header(icon=" ")
        yield self._table
        yield self._log_pane
        yield self._filter
        yield Footer()

    def on_mount(self) -> None:
        for name in COLUMNS:
            self._table.add_column(name, key=name)
        self._table.focus()
        self._look()
        self.set_interval(EVERY_S, self._look)

    def on_unmount(self) -> None:
        self._close_log()

    # -- the table --------------------------------------------------------------------------------
    def _look(self) -> None:
        try:
            self._rows = self._observer.look()
        except (OrchestraError, OSError) as exc:
            self.sub_title = str(exc)
            return
        self.sub_title = summary(self._rows)
        self._show()

    def _show(self) -> None:
        """Bring the table to what is to be shown; the selected row stays selected."""
        selected = self._selected
        before, self._shown = self._shown, matching(self._rows, self._filter.value)
        table = self._table
        if [row.name for row in before] == [row.name for row in self._shown]:
            for old, new in zip(before, self._shown, strict=True):
                for column, was, text in zip(COLUMNS, old.cells, new.cells, strict=True):
                    if was != text:
                        table.update_cell(new.name, column, cell(text), update_width=True)
        else:
            table.clear()
            for row in self._shown:
                table.add_row(*map(cell, row.cells), key=row.name)
            names = [row.name for row in self._shown]
            if selected is not None and selected.name in names:
                table.move_cursor(row=names.index(selected.name))
        self._follow_selected()

    @property
    def _selected(self) -> Row | None:
        position = self._table.cursor_row
        return self._shown[position] if 0 <= position < len(self._shown) else None

    def on_data_table_row_highlighted(self) -> None:
        self._follow_selected()

    # -- the log ----------------------------------------------------------------------------------
    def _follow_selected(self) -> None:
        if not self._table.is_attached:
            return  # the view is ending
        row = self._selected
        container = None if row is None else row.container
        wanted = "" if container is None else container.id
        self._log_pane.border_title = "" if row is None else f"logs of {row.name}"
        if wanted == self._followed:
            return
        self._close_log()
        self._log_pane.clear()
        self._followed = wanted
        if container is None:
            return
        self._tail = self._observer.tail(container)
        if self._tail is None:
            self._followed = ""
            return
        asyncio.get_running_loop().add_reader(self._tail.fileno(), self._read_log)
        self._read_log()

    def _read_log(self) -> None:
        if self._tail is None:
            return
        for line in self._tail.read():
            self._log_pane.write(log_line(line))
        if self._tail.has_more:
            self.call_later(self._read_log)

    def _close_log(self) -> None:
        if self._tail is not None:
            asyncio.get_running_loop().remove_reader(self._tail.fileno())
            self._tail.close()
            self._tail = None

    # -- keys -------------------------------------------------------------------------------------
    def action_restart(self) -> None:
        self._act("Restart", self._steering.restart)

    def action_start(self) -> None:
        self._act("Start", self._steering.start)

    def action_stop(self) -> None:
        self._act("Stop", self._steering.stop)

    def _act(self, verb: str, action: Callable[[Row], None]) -> None:
        row = self._selected
        if row is not None:
            self.notify(f"{verb} {row.service} …", markup=False, timeout=2)
            self.run_worker(partial(self._carry_out, verb, action, row), thread=True)

    def _carry_out(self, verb: str, action: Callable[[Row], None], row: Row) -> None:
        """In a thread."""
        try:
            action(row)
        except OrchestraError as exc:
            text = str(exc)
            self.call_from_thread(self.notify, text, severity="error", markup=False, timeout=10)
        else:
            self.call_from_thread(self.notify, f"{verb} {row.service}: done", markup=False)
        self.call_from_thread(self._look)

    def action_shell(self) -> None:
        row = self._selected
        if row is None or not row.is_up:
            self.notify("it does not run: there is no shell in it", severity="warning")
            return
        try:
            with self.suspend():
                code = self._steering.shell(row)
                if code in NO_SHELL:
                    input("press Enter to go back ")
        except SuspendNotSupported:
            self.notify("this terminal cannot be handed over to a shell", severity="error")
        self.refresh(layout=True)

    def action_filter(self) -> None:
        self._filter.add_class("open")
        self._filter.focus()

    def action_unfilter(self) -> None:
        self._filter.value = ""
        self._filter.remove_class("open")
        self._table.focus()

    def on_input_changed(self) -> None:
        self._show()

    def on_input_submitted(self) -> None:
        if not self._filter.value:
            self.action_unfilter()
        self._table.focus()
