"""`config --variables` lists what the files ask for."""

from __future__ import annotations

from orchestra.config.variables import NeededVariable, variables_of


def test_variables_are_listed_by_name_with_what_stands_for_them() -> None:
    tree = {
        "services": {"web": {"image": "x:${TAG:-latest}", "command": ["$B", "${A:?say A}"]}},
        "x-set": "${S:+set}",
    }
    assert variables_of(tree) == [
        NeededVariable("A", required=True),
        NeededVariable("B"),
        NeededVariable("S", alternate="set"),
        NeededVariable("TAG", default="latest"),
    ]


def test_variables_inside_defaults_are_found() -> None:
    assert variables_of({"a": "${A:-${B:-deep}}"}) == [
        NeededVariable("A", default="${B:-deep}"),
        NeededVariable("B", default="deep"),
    ]


def test_escaped_dollars_and_broken_templates_are_no_variables() -> None:
    assert variables_of({"a": "$$A", "b": "${", "c": 1, "d": None}) == []
    assert variables_of({"a": "${A:-" * 1200 + "}" * 1200}) == []
