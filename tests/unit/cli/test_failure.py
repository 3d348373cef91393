from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.render.failure import failure_text
from orchestra.errors import ConfigError, ConfigErrors, NotFound
from orchestra.model.source import Position

if TYPE_CHECKING:
    from pathlib import Path


def test_an_error_is_its_message_and_the_fix() -> None:
    error = NotFound("no such service: wbe", fix="did you mean web?")
    text = failure_text(error, colour=False, excerpt=False)
    assert text == "no such service: wbe\n  fix: did you mean web?"


def test_the_line_is_shown_with_a_caret(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services:\n\tweb:\n\t  imge: x\n")
    error = ConfigError("unknown attribute", where=Position(str(file), 3, 4))
    assert failure_text(error, colour=False, excerpt=True).splitlines()[1:] == [
        "     3 | \t  imge: x",
        "       | \t  ^",
    ]


def test_all_problems_of_a_file_are_shown() -> None:
    error = ConfigErrors([ConfigError("one"), ConfigError("two", fix="do")])
    assert failure_text(error, colour=False, excerpt=True) == "one\ntwo\n  fix: do"


def test_a_file_that_is_gone_costs_only_the_excerpt() -> None:
    error = ConfigError("bad", where=Position("/does/not/exist", 1, 1))
    assert failure_text(error, colour=False, excerpt=True) == "/does/not/exist:1:1: bad"


def test_escape_sequences_in_names_do_not_reach_the_terminal() -> None:
    error = NotFound("no such service: \x1b]0;owned\x07", fix="\x9b2J")
    text = failure_text(error, colour=False, excerpt=False)
    assert text == "no such service: \\x1b]0;owned\\x07\n  fix: \\x9b2J"
