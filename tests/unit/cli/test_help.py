"""The help of every command is a golden file, which a change of a flag must change too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.cli.globals import DRY_RUN, GLOBAL_FLAGS
from orchestra.cli.main import load
from orchestra.cli.render.help import command_help, family_help, root_help
from orchestra.cli.table import COMMANDS, FAMILIES
from tests.support.command_lines import calls_in, parsed_call

if TYPE_CHECKING:
    from tests.support.golden import Golden


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command(name: str, golden: Golden) -> None:
    command = load(name).COMMAND
    command = command._replace(flags=(*command.flags, DRY_RUN))
    golden.check(f"help/{name}.txt", command_help(command, width=100))


def test_help_of_the_program(golden: Golden) -> None:
    golden.check("help/orchestra.txt", root_help(GLOBAL_FLAGS, width=100))


@pytest.mark.parametrize("family", FAMILIES)
def test_help_of_each_family(family: str, golden: Golden) -> None:
    golden.check(f"help/{family}.family.txt", family_help(family))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_agrees_with_the_module(name: str) -> None:
    command = load(name).COMMAND
    assert command.name == name
    assert command.summary == COMMANDS[name].summary
    assert command.examples


@pytest.mark.parametrize("name", COMMANDS)
def test_no_flag_is_declared_twice(name: str) -> None:
    flags = load(name).COMMAND.flags
    names = [flag.name for flag in flags] + [alias for flag in flags for alias in flag.aliases]
    shorts = [flag.short for flag in flags if flag.short]
    assert len(names) == len(set(names))
    assert len(shorts) == len(set(shorts))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_are_command_lines_of_the_command(name: str) -> None:
    for line, meaning in load(name).COMMAND.examples:
        assert meaning
        assert name in [parsed_call(argv) for argv in calls_in(line)], line
