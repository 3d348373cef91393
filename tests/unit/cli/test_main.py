from __future__ import annotations

import re
import subprocess
import sys

import pytest

from orchestra import __version__
from orchestra.cli import suggest
from orchestra.cli.main import main
from orchestra.cli.table import COMMANDS, FAMILIES, INSTEAD


def test_alone_it_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "Usage:  orchestra [OPTIONS] COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [["--version"], ["-v"], ["version"]])
def test_the_version_in_three_ways(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 0
    assert capsys.readouterr().out == f"orchestra version {__version__}\n"


@pytest.mark.parametrize("argv", [["help", "up"], ["up", "--help"], ["up", "-h"]])
def test_help_of_a_command_in_three_ways(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 0
    assert "orchestra up [OPTIONS] [SERVICE...]" in capsys.readouterr().out


def test_an_unknown_command_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["pss"]) == 16
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == 'unknown orchestra command: "pss"\n  fix: did you mean `orchestra ps`?\n'


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("image pul", "image pull"),
        ("image lst", "image list"),
        ("network remov", "network remove"),
        ("rmi redis", "image rm"),
        ("status", "ps"),
        ("volum ls", "volume"),
    ],
)
def test_an_unknown_command_is_looked_for_where_it_was_written(
    words: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 16
    assert capsys.readouterr().err.endswith(f"fix: did you mean `orchestra {meant}`?\n")


def test_a_far_off_word_is_sent_to_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "xyzzy"]) == 16
    assert "`orchestra image --help` lists all commands" in capsys.readouterr().err


@pytest.mark.parametrize("name", suggest.SYNONYMS)
def test_a_synonym_is_no_command_and_means_one(name: str) -> None:
    assert name not in COMMANDS
    assert suggest.SYNONYMS[name] in COMMANDS


@pytest.mark.parametrize("argv", [[], ["--help"]])
@pytest.mark.parametrize("name", INSTEAD)
def test_a_command_without_counterpart_says_what_to_use(
    name: str, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*name.split(), *argv]) == 1
    error = capsys.readouterr().err
    assert error == f'orchestra has no command "{name}"\n  fix: {INSTEAD[name]}\n'
    for mentioned in re.findall(r"`orchestra (?:--dry-run )?([a-z]+)", INSTEAD[name]):
        assert mentioned in COMMANDS or mentioned in FAMILIES


@pytest.mark.parametrize(
    ("argv", "fix"),
    [
        (["up", "-f", "x.yaml"], "it goes before the command: `orchestra -f … up`"),
        (["image", "ls", "--profile", "x"], "`orchestra --profile … image ls`"),
        (["--biuld", "up"], "flags of a command go after its name"),
        (["--progres", "plain", "up"], "did you mean --progress?"),
        (["logs", "--folow"], "did you mean --follow?"),
    ],
)
def test_an_unknown_flag_says_where_it_belongs(
    argv: list[str], fix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 16
    assert fix in capsys.readouterr().err


def test_an_unknown_flag_shows_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "--shrt"]) == 16
    error = capsys.readouterr().err
    assert error.startswith("unknown flag: --shrt\n\nUsage:  orchestra version [OPTIONS]")
    assert error.endswith("fix: did you mean --short?\n")


def test_errors_are_json_when_progress_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--progress", "json", "pss"]) == 16
    assert capsys.readouterr().err.startswith('{"error": true, "message": "unknown')


def test_a_bug_is_reported_in_two_lines_and_saved(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("bugs")
    monkeypatch.setattr("tempfile.tempdir", str(directory))
    monkeypatch.setattr("orchestra.cli.commands.version.__version__", 0)
    monkeypatch.setattr("orchestra.cli.commands.version.write", None)
    assert main(["version"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("this is a bug in orchestra: TypeError")
    (report,) = directory.iterdir()
    assert str(report) in error
    assert "Traceback" in report.read_text()
    assert report.stat().st_mode & 0o077 == 0


def test_a_full_disk_is_no_bug(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_text: str) -> None:
        raise OSError(28, "No space left on device", "/var/lib/x")

    monkeypatch.setattr("orchestra.cli.commands.version.write", fail)
    assert main(["version"]) == 1
    assert capsys.readouterr().err.startswith("No space left on device: /var/lib/x\n  fix:")


def test_a_read_only_disk_is_no_bug(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_text: str) -> None:
        raise OSError(30, "Read-only file system", "/var/lib/x")

    monkeypatch.setattr("orchestra.cli.commands.version.write", fail)
    assert main(["version"]) == 1
    assert "fix: mount it writable" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("redirect", "environment"),
    [(">&-", {}), ("2>&-", {}), ("</dev/null", {"PYTHONIOENCODING": "ascii"})],
)
def test_odd_streams_are_no_bug(redirect: str, environment: dict[str, str]) -> None:
    for arguments in ("--help", "logs --help", "nöpe"):
        command = f"{sys.executable} -m orchestra {arguments} {redirect}"
        done = subprocess.run(
            ["sh", "-c", command],
            env={"PYTHONWARNINGS": "error", **environment},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == (16 if arguments == "nöpe" else 0)
        assert "bug" not in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("--help",), ("ps", "--help"), ("version",)])
def test_a_full_disk_under_stdout_is_told_without_a_traceback(words: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "orchestra", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert ran.returncode == 1
    assert ran.stderr.startswith(b"No space left on device\n")
