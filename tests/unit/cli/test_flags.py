from __future__ import annotations

import pytest

from orchestra.cli.flags import (
    LIST,
    NUMBER,
    TEXT,
    Command,
    Flag,
    FlagError,
    HelpWanted,
    UnknownFlag,
    UsageError,
    check_words,
    parse,
)

FLAGS = (
    Flag("all", "…", short="a"),
    Flag("detach", "…", short="d"),
    Flag("file", "…", short="f", kind=LIST),
    Flag("orphans", "…", default="true"),
    Flag("timeout", "…", short="t", kind=NUMBER),
    Flag("user", "…", short="u", kind=TEXT),
    Flag("no-tty", "…", short="T", aliases=("no-TTY",)),
)


def test_flags_and_words_may_be_mixed() -> None:
    args = parse(FLAGS, ["web", "-a", "db", "--timeout", "3"])
    assert args.words == ("web", "db")
    assert args.on("all")
    assert args.seconds("timeout") == 3.0


def test_the_first_word_ends_the_flags_of_exec() -> None:
    args = parse(FLAGS, ["-d", "web", "ls", "-a", "--", "x"], interspersed=False)
    assert args.words == ("web", "ls", "-a", "--", "x")
    assert not args.on("all")


def test_two_dashes_end_the_flags() -> None:
    assert parse(FLAGS, ["--", "-a"]).words == ("-a",)


@pytest.mark.parametrize(
    "argv",
    [
        ["-u", "me"],
        ["-ume"],
        ["-u=me"],
        ["--user", "me"],
        ["--user=me"],
        ["-adume"],
        ["-adu", "me"],
    ],
)
def test_a_value_may_be_written_in_every_way_of_pflag(argv: list[str]) -> None:
    assert parse(FLAGS, argv).text("user") == "me"


@pytest.mark.parametrize(("text", "value"), [("false", False), ("0", False), ("t", True)])
def test_a_switch_takes_a_value_after_an_equals_sign_only(text: str, *, value: bool) -> None:
    args = parse(FLAGS, [f"--orphans={text}", "false"])
    assert args.on("orphans") is value
    assert args.words == ("false",)


def test_a_list_flag_gathers_and_others_take_the_last() -> None:
    args = parse(FLAGS, ["-f", "a", "--file=b", "-u", "x", "-u", "y"])
    assert args.texts("file") == ("a", "b")
    assert args.text("user") == "y"


def test_a_flag_that_was_not_written_has_no_seconds() -> None:
    args = parse(FLAGS, [])
    assert args.seconds("timeout") is None
    assert args.on("orphans")


def test_an_alias_sets_the_flag() -> None:
    assert parse(FLAGS, ["--no-TTY"]).on("no-tty")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--nope"], "unknown flag: --nope"),
        (["-az"], "unknown shorthand flag: 'z' in -az"),
        (["--file"], "flag needs an argument: --file"),
        (["-f"], "flag needs an argument: 'f' in -f"),
        (["-t", "x"], 'invalid argument "x" for "-t, --timeout" flag: not a whole number'),
        (["-d=maybe"], 'invalid argument "maybe" for "-d, --detach" flag: use true or false'),
    ],
)
def test_errors_have_the_words_and_the_exit_code_of_docker_compose(
    argv: list[str], message: str
) -> None:
    with pytest.raises(FlagError) as caught:
        parse(FLAGS, argv)
    assert caught.value.what == message
    assert caught.value.exit_code == 16


def test_no_flag_may_be_shortened() -> None:
    with pytest.raises(FlagError):
        parse(FLAGS, ["--time", "3"])


def test_an_unknown_flag_can_be_told_from_other_errors() -> None:
    with pytest.raises(UnknownFlag) as caught:
        parse(FLAGS, ["--orphan"])
    assert (caught.value.flag, caught.value.shown) == ("orphan", "--orphan")


@pytest.mark.parametrize("argv", [["-h"], ["--help"], ["-ah"]])
def test_help_is_asked_for_anywhere_among_the_flags(argv: list[str]) -> None:
    with pytest.raises(HelpWanted):
        parse(FLAGS, argv)


def test_help_after_the_word_that_ends_the_flags_belongs_to_the_command() -> None:
    assert parse(FLAGS, ["web", "-h"], interspersed=False).words == ("web", "-h")


def test_too_few_words_are_counted() -> None:
    command = Command(usage="exec SERVICE COMMAND", summary="…", min_args=2)
    with pytest.raises(UsageError, match="requires at least 2 arguments, got 1") as caught:
        check_words(command, parse((), ["web"]))
    assert caught.value.exit_code == 1


def test_too_many_words_are_counted() -> None:
    command = Command(usage="ls", summary="…", max_args=0)
    with pytest.raises(UsageError, match="accepts no arguments, got 1"):
        check_words(command, parse((), ["web"]))
