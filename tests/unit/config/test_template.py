from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.config.template import TemplateError, substitute, variables

KNOWN = {"A": "a", "EMPTY": "", "NAME": "A"}


def expand(text: str) -> str:
    return substitute(text, KNOWN.get, lambda _name: None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        ("plain", "plain"),
        ("$A", "a"),
        ("${A}", "a"),
        ("x${A}y$A-z", "xaya-z"),
        ("$UNSET", ""),
        ("$$A", "$A"),
        ("$$$A", "$a"),
        ("${UNSET-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${EMPTY:-d}", "d"),
        ("${A:-d}", "a"),
        ("${A+r}", "r"),
        ("${EMPTY+r}", "r"),
        ("${EMPTY:+r}", ""),
        ("${UNSET+r}", ""),
        ("${A?must}", "a"),
        ("${EMPTY?must}", ""),
        ("${UNSET:-${A}}", "a"),
        ("${UNSET:-${ALSO:-${A}!}}", "a!"),
        ('${UNSET:-{"k": {}}}', '{"k": {}}'),
        ("${UNSET:-a:b-c?d}", "a:b-c?d"),
        ("${UNSET:-$$x}", "$x"),
        ("cost: 5$", "cost: 5$"),
        ("$1 $ $.", "$1 $ $."),
        ("${UNSET:-}", ""),
    ],
)
def test_the_operators(text: str, value: str) -> None:
    assert expand(text) == value


@pytest.mark.parametrize(
    ("text", "offset", "what"),
    [
        ("x ${A", 2, "no closing brace"),
        ("${}", 0, "does not name a variable"),
        ("${1}", 0, "does not name a variable"),
        ("${A/x}", 0, "no known operator"),
        ("${UNSET?}", 0, "required variable UNSET is missing a value"),
        ("${EMPTY:?say $A}", 0, "required variable EMPTY is missing a value: say a"),
        ("${UNSET:-x${B}", 0, "no closing brace"),
        ("${UNSET:-${B?no}}", 9, "required variable B is missing a value: no"),
    ],
)
def test_faults_point_at_the_variable(text: str, offset: int, what: str) -> None:
    with pytest.raises(TemplateError, match=r".") as caught:
        expand(text)
    assert what in caught.value.what
    assert caught.value.offset == offset


def test_a_variable_without_value_or_default_is_reported() -> None:
    unset: list[str] = []
    substitute("$X ${Y:-$Z} ${A}", KNOWN.get, unset.append)
    assert unset == ["X", "Z"]


def test_variables_in_defaults_are_found() -> None:
    assert [found.name for found in variables("${A:-${B}} $C $$D")] == ["A", "B", "C"]


def test_nesting_is_bounded() -> None:
    deep = "${U:-" * 200 + "}" * 200
    with pytest.raises(TemplateError, match="nested too deeply"):
        expand(deep)


@given(st.text())
def test_doubling_every_dollar_gives_the_text_itself(text: str) -> None:
    assert expand(text.replace("$", "$$")) == text


@given(st.text(alphabet="${}AB:-?+ "))
def test_no_text_raises_anything_else(text: str) -> None:
    offsets = [0]
    try:
        expand(text)
    except TemplateError as error:
        offsets.append(error.offset)
    assert all(0 <= offset <= len(text) for offset in offsets)
