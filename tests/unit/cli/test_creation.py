"""What the flags and variables that `up` and `create` share come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.cli.context import Context
from orchestra.cli.creation import CREATION_FLAGS, creation_options
from orchestra.cli.flags import UsageError, parse
from orchestra.cli.globals import GlobalOptions

if TYPE_CHECKING:
    from orchestra.ops.up import UpOptions


def options(*argv: str, **environ: str) -> UpOptions:
    context = Context(GlobalOptions(), environ, "/srv")
    return creation_options(parse(CREATION_FLAGS, argv), context)


def test_variables_say_what_becomes_of_orphans() -> None:
    assert options(COMPOSE_REMOVE_ORPHANS="true").remove_orphans
    assert options(COMPOSE_IGNORE_ORPHANS="1").ignore_orphans
    assert not options("--remove-orphans=false", COMPOSE_REMOVE_ORPHANS="1").remove_orphans


def test_orphans_are_not_ignored_and_removed_at_once() -> None:
    with pytest.raises(UsageError, match="cannot combine COMPOSE_IGNORE_ORPHANS"):
        options("--remove-orphans", COMPOSE_IGNORE_ORPHANS="1")


@pytest.mark.parametrize("text", ["web", "web=", "=2", "web=two", "web=-1"])
def test_a_scale_is_a_service_and_a_number(text: str) -> None:
    with pytest.raises(UsageError, match="invalid scale"):
        options("--scale", text)
