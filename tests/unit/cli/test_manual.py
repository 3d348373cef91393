"""The manual pages: complete, as groff and mandoc want them, and built into the wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from orchestra.cli.environment import VARIABLES
from orchestra.cli.main import main
from orchestra.cli.manual import pages, write_pages
from orchestra.cli.render.manual import Edition
from orchestra.cli.table import COMMANDS, FAMILIES
from tests.support.imports import modules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.golden import Golden

EDITION = Edition("1.2.3", "2026-01-31")


def needs_program(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"needs the program {name}")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    directory = tmp_path_factory.mktemp("man1")
    return write_pages(str(directory), {"SOURCE_DATE_EPOCH": "1700000000"})


def output(*argv: str, env: dict[str, str] | None = None) -> str:
    """All that a program says, warnings with it."""
    done = subprocess.run(
        argv,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("name", ["orchestra", "orchestra-cp", "orchestra-image"])
def test_pages(name: str, golden: Golden) -> None:
    golden.check(f"man/{name}.1", dict(pages(EDITION))[name])


def test_there_is_a_page_for_each_command(written: Sequence[str]) -> None:
    names = {os.path.basename(path) for path in written}
    assert len(names) == len(written) == 1 + len(FAMILIES) + len(COMMANDS)
    assert {"orchestra.1", "orchestra-image.1", "orchestra-image-ls.1", "orchestra-up.1"} <= names


def test_the_date_is_that_of_the_source(written: Sequence[str]) -> None:
    for path in written:
        with open(path, encoding="utf-8") as file:
            assert "2023-11-14" in file.readline()


def test_see_also_leads_to_pages() -> None:
    texts = dict(pages(EDITION))
    for text in texts.values():
        assert set(re.findall(r"^\.BR (\S+) \(1\)", text, re.M)) <= {
            name.replace("-", r"\-") for name in texts
        }


@needs_program("mandoc")
def test_mandoc_finds_nothing_to_complain_of(written: Sequence[str]) -> None:
    assert output("mandoc", "-T", "lint", "-W", "warning", *written) == ""


@needs_program("man")
@needs_program("groff")
def test_man_finds_nothing_to_complain_of(written: Sequence[str]) -> None:
    argv = ("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z")
    said = output("sh", "-c", f'{" ".join(argv)} "$@" >/dev/null', "sh", *written)
    assert said == ""


@needs_program("man")
@needs_program("groff")
def test_what_a_reader_sees(written: Sequence[str]) -> None:
    path = next(path for path in written if path.endswith("/orchestra-exec.1"))
    text = output(
        "man", "-l", path, env={"MANWIDTH": "80", "PAGER": "cat", "MAN_KEEP_FORMATTING": ""}
    )
    assert "orchestra exec [OPTIONS] SERVICE COMMAND [ARGS...]" in text
    assert "orchestra exec -T db pg_dump app > dump.sql" in text
    assert "-d, --detach" in text


def test_every_variable_that_is_read_is_in_the_manual() -> None:
    read = set()
    for module in modules():
        if module.name != "cli.environment":
            with open(module.path, encoding="utf-8") as file:
                found = re.findall(r'"((?:COMPOSE|ORCHESTRA)_[A-Z_]+|NO_COLOR)"', file.read())
            read.update(found)
    assert read <= set(VARIABLES)
    assert len(read) > 10


def test_the_command_writes_them_to_a_new_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["man", "share/man1"]) == 0
    assert (tmp_path / "share" / "man1" / "orchestra-up.1").exists()


def test_a_directory_that_cannot_be_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["man", str(tmp_path / "file" / "man1")]) == 1
    assert capsys.readouterr().err.startswith(f"cannot write {tmp_path}/file")
