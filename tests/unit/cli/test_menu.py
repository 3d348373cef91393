"""The line of keys below a foreground `up`."""

from __future__ import annotations

import pytest

from orchestra.cli.render.menu import menu_line
from orchestra.cli.render.progress import bare
from orchestra.cli.render.text import display_width


def test_the_key_for_the_watch_says_what_it_would_do() -> None:
    assert menu_line(watching=False, columns=80, colour=False) == (
        "w Enable Watch   d Detach   q Stop"
    )
    assert menu_line(watching=True, columns=80, colour=False).startswith("w Disable Watch ")


@pytest.mark.parametrize("columns", [1, 5, 16, 20, 27, 28, 36, 80])
def test_keys_that_do_not_fit_are_left_out(columns: int) -> None:
    line = bare(menu_line(watching=False, columns=columns, colour=True))
    assert display_width(line) < max(columns, 1)
    assert line == menu_line(watching=False, columns=columns, colour=False)
    assert all(part[1] == " " for part in line.split("   ") if part)
