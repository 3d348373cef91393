"""Whatever is typed, the answer is one of orchestra's own errors."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.cli.flags import FlagError, HelpWanted, UsageError, parse
from orchestra.cli.globals import GLOBAL_FLAGS, read_globals
from orchestra.cli.moment import moment_ns
from orchestra.cli.render.template import parse_template, render
from orchestra.cli.render.text import harmless, harmless_lines
from orchestra.errors import ConfigError

WORDS = st.one_of(
    st.sampled_from(["-", "--", "-f", "-fx", "-p=", "--file", "--file=", "--parallel=x", "-vh"]),
    st.text(max_size=8),
    st.text("-=fpvh", max_size=6),
)
TEMPLATES = st.one_of(
    st.text(max_size=20),
    st.lists(
        st.sampled_from(
            ["{{", "}}", ".Name", " ", "|", "if ", "else", "end", "json", "-", '"a"', "`", "1", "."]
        ),
        max_size=12,
    ).map("".join),
)


@given(st.lists(WORDS, max_size=6))
def test_any_words_are_parsed_or_refused(argv: list[str]) -> None:
    with contextlib.suppress(UsageError, HelpWanted):
        read_globals(parse(GLOBAL_FLAGS, argv, interspersed=False), {})


@given(TEMPLATES)
def test_any_template_is_rendered_or_refused(source: str) -> None:
    with contextlib.suppress(ConfigError):
        render(parse_template(source), {"Name": "web", "Ports": []}, {})


@given(st.text(max_size=20))
def test_any_time_is_understood_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert isinstance(moment_ns(text, 10**18), int)


@given(st.text())
def test_shown_text_cannot_drive_a_terminal(text: str) -> None:
    controls = {chr(code) for code in (*range(32), *range(127, 160))}
    assert not controls & set(harmless(text))
    assert not (controls - {"\n", "\t"}) & set(harmless_lines(text))


@pytest.mark.parametrize("word", ["-\x1b[2J", "--\x1b[2J"])
def test_a_refused_flag_is_an_error_with_the_code_for_flags(word: str) -> None:
    with pytest.raises(FlagError) as caught:
        parse(GLOBAL_FLAGS, [word])
    assert caught.value.exit_code == 16
