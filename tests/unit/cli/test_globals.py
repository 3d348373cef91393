from __future__ import annotations

import pytest

from orchestra.cli.flags import UsageError, parse
from orchestra.cli.globals import GLOBAL_FLAGS, GlobalOptions, read_globals


def options(*argv: str, **environ: str) -> GlobalOptions:
    return read_globals(parse(GLOBAL_FLAGS, argv, interspersed=False), environ)


def test_files_and_profiles_may_be_repeated() -> None:
    found = options("-f", "a.yaml", "--file", "b.yaml", "--profile", "x", "--profile", "y", "ps")
    assert found.files == ("a.yaml", "b.yaml")
    assert found.profiles == ("x", "y")


def test_a_flag_wins_over_its_variable() -> None:
    assert options("--parallel", "3", COMPOSE_PARALLEL_LIMIT="8").parallel == 3
    assert options(COMPOSE_PARALLEL_LIMIT="8").parallel == 8
    assert options("--ansi", "always", COMPOSE_ANSI="never").ansi == "always"
    assert options("--progress", "plain", COMPOSE_PROGRESS="json").progress == "plain"


def test_no_color_switches_colours_off() -> None:
    assert options(NO_COLOR="1").ansi == "never"


def test_environment_files_are_made_absolute() -> None:
    assert options("--env-file", "/etc/x").env_files == ("/etc/x",)
    assert options(COMPOSE_ENV_FILES="/a,/b").env_files == ("/a", "/b")
    assert options("--env-file", "x").env_files[0].startswith("/")


@pytest.mark.parametrize(
    ("argv", "environ"),
    [
        (("--progress", "fancy"), {}),
        (("--progress", "tty", "--ansi", "never"), {}),
        (("--progress", "plain", "--ansi", "always"), {}),
        (("--ansi", "sometimes"), {}),
        ((), {"COMPOSE_PARALLEL_LIMIT": "many"}),
        (("--workdir", "a", "--project-directory", "b"), {}),
        (("--no-ansi", "--ansi", "always"), {}),
    ],
)
def test_contradictions_are_refused(argv: tuple[str, ...], environ: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        options(*argv, **environ)


def test_old_flags_still_work() -> None:
    assert options("--workdir", "there").project_directory == "there"
    assert options("--no-ansi").ansi == "never"
    assert options("--progress", "none").progress == "quiet"
