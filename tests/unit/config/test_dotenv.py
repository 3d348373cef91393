from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.config.dotenv import parse_dotenv, parse_raw
from orchestra.errors import ConfigError

SHELL = {"SHELL_VAR": "s"}


def parse(text: str) -> dict[str, str]:
    known: dict[str, str] = {}
    parse_dotenv(text, ".env", SHELL.get, known)
    return known


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=1", "1"),
        ("A: 1", "1"),
        ("A = 1 ", "1"),
        ("export A=1", "1"),
        ("A=", ""),
        ("A=a b", "a b"),
        ("A=a # c", "a"),
        ("A=a#c", "a#c"),
        ("A=#c", "#c"),
        ("A='a # c'", "a # c"),
        ('A="a # c" # d', "a # c"),
        ("A='$SHELL_VAR'", "$SHELL_VAR"),
        ("A=$SHELL_VAR", "s"),
        ('A="${SHELL_VAR}x"', "sx"),
        ("A=${NO:-d}", "d"),
        ('A="a\\nb"', "a\nb"),
        ("A='a\\nb'", "a\\nb"),
        ('A="a\\"b"', 'a"b'),
        ("A='it\\'s'", "it's"),
        ('A="a\nb"', "a\nb"),
        ('A="\\$SHELL_VAR"', "$SHELL_VAR"),
        ("A=$$x", "$x"),
        ('A="\\0101"', "A"),
        ("A=b=c", "b=c"),
        ("\ufeffA=1", "1"),
        ("A=1\r\n", "1"),
        ('A="a\r\nb"\r\n', "a\r\nb"),
        ('A="\\061 \\0"', "\\61 \\"),
        ("export\nA=1", "1"),
        ("export \nexport A=1", "1"),
    ],
)
def test_one_assignment(text: str, value: str) -> None:
    assert parse(text)["A"] == value


def test_later_lines_see_earlier_ones_but_the_shell_first() -> None:
    assert parse("A=1\nB=$A\nSHELL_VAR=x\nC=$SHELL_VAR") == {
        "A": "1",
        "B": "1",
        "SHELL_VAR": "x",
        "C": "s",
    }


def test_a_bare_name_is_taken_from_the_shell_or_left_out() -> None:
    assert parse("SHELL_VAR\nNOT_THERE\nA=1") == {"SHELL_VAR": "s", "A": "1"}


def test_comments_and_blank_lines_mean_nothing() -> None:
    assert parse("# a\n\n  # b\nA=1\n#") == {"A": "1"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=1\nB!=2", '.env:2:2: unexpected "!" in a variable name'),
        ("A B=1", '.env:1:1: the name "A B" contains a space'),
        ("A='x\ny", ".env:1:3: this ' is never closed"),
        ("A=1\nB=${C", '.env:2:3: "${C" has no closing brace'),
        ("=1", '.env:1:1: no name before "="'),
    ],
)
def test_faults_have_their_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert str(caught.value).startswith(message)


def test_the_raw_format_takes_lines_as_they_are() -> None:
    known: dict[str, str] = {}
    parse_raw('A="x" # y\n# c\nB=$SHELL_VAR\n', known)
    assert known == {"A": '"x" # y', "B": "$SHELL_VAR"}


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    faults: list[ConfigError] = []
    try:
        parse(text)
    except ConfigError as error:
        faults.append(error)
    assert all(fault.where is not None for fault in faults)


@given(st.dictionaries(st.from_regex(r"[A-Za-z_]\w{0,5}", fullmatch=True), st.text()))
def test_single_quotes_keep_any_value(values: dict[str, str]) -> None:
    values = {k: v.replace("\\", "").replace("\r", "") for k, v in values.items()}
    text = "\n".join(
        name + "='" + value.replace("'", "\\'") + "'" for name, value in values.items()
    )
    assert parse(text) == values


def test_a_variable_that_is_doubled_again_and_again_is_refused() -> None:
    lines = ["A0=xx", *(f"A{number}=$A{number - 1}$A{number - 1}" for number in range(1, 64))]
    with pytest.raises(ConfigError, match="more than 8388608 characters"):
        parse("\n".join(lines))
