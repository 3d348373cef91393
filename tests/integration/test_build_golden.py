"""COPY and ADD where no engine at hand can be asked: trees from the rules of the reference.

Flags newer than the engine that `test_build_oracle.py` compares with, and what later engines do
otherwise. Trees are listed as `path kind mode uid:gid text`.
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
from typing import TYPE_CHECKING, NamedTuple

import pytest
import zstandard

from tests.support.build_oracle import tree_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

_KINDS = {b"0": "file", b"2": "link", b"3": "char", b"5": "dir", b"6": "fifo"}


class Case(NamedTuple):
    """*dockerfile* is built in the context of `make_context`; *tree* is what comes out of it."""

    dockerfile: str
    tree: str


CASES = {
    "exclude: the reference's examples": Case(
        "FROM scratch\nCOPY --exclude=*.txt --exclude=*.md hom* /mydir/\n",
        "mydir dir 755 0:0\nmydir/home file 644 0:0 home\n",
    ),
    "exclude: patterns count from the copied directory": Case(
        "FROM scratch\nCOPY --exclude=*/y --exclude=**/d.txt src /s\n",
        "s dir 755 0:0\ns/c.txt file 644 0:0 src/c.txt\ns/x dir 700 0:0\n",
    ),
    "exclude: everything leaves an empty directory": Case(
        "FROM scratch\nADD --exclude=* src /s\n", "s dir 755 0:0\n"
    ),
    "exclude: ! brings back": Case(
        "FROM scratch\nCOPY --exclude=x --exclude=!x/y/e.txt src /s\n",
        "s dir 755 0:0\ns/c.txt file 644 0:0 src/c.txt\ns/x dir 700 0:0\ns/x/y dir 750 0:0\n"
        "s/x/y/e.txt file 644 0:0 src/x/y/e.txt\n",
    ),
    "parents: whole paths": Case(
        "FROM scratch\nCOPY --parents ./src/c.txt src/x/d.txt /p/\n",
        "p dir 755 0:0\np/src dir 755 0:0\np/src/c.txt file 644 0:0 src/c.txt\n"
        "p/src/x dir 700 0:0\np/src/x/d.txt file 640 0:0 src/x/d.txt\n",
    ),
    "parents: a directory": Case(
        "FROM scratch\nCOPY --parents --exclude=src/x/y src/./x /p/\n"
        "COPY --parents links/real /q/\n",
        "p dir 755 0:0\np/x dir 700 0:0\np/x/d.txt file 640 0:0 src/x/d.txt\np/x/y dir 750 0:0\n"
        "p/x/y/e.txt file 644 0:0 src/x/y/e.txt\nq dir 755 0:0\nq/links dir 755 0:0\n"
        "q/links/real dir 755 0:0\n",
    ),
    "parents: from the pivot on": Case(
        "FROM scratch\nCOPY --parents ./src/./x/y/*.txt /p/\n",
        "p dir 755 0:0\np/x dir 700 0:0\np/x/y dir 750 0:0\n"
        "p/x/y/e.txt file 644 0:0 src/x/y/e.txt\n",
    ),
    "parents: two stars": Case(
        "FROM scratch\nCOPY --parents src/**/*.txt /p/\n",
        "p dir 755 0:0\np/src dir 755 0:0\np/src/c.txt file 644 0:0 src/c.txt\n"
        "p/src/x dir 700 0:0\np/src/x/d.txt file 640 0:0 src/x/d.txt\n"
        "p/src/x/y dir 750 0:0\np/src/x/y/e.txt file 644 0:0 src/x/y/e.txt\n",
    ),
    "parents: a pattern that matches nothing": Case(
        "FROM scratch\nCOPY home /\nCOPY --parents absent*/x /p/\n", "home file 644 0:0 home\n"
    ),
    "link: links in the way become directories": Case(
        "FROM scratch AS base\nCOPY links /\nFROM base\nCOPY --link home /to-dir/\n",
        "real dir 755 0:0\nto-dir dir 755 0:0\nto-dir/home file 644 0:0 home\n",
    ),
    "without link they are followed": Case(
        "FROM scratch AS base\nCOPY links /\nFROM base\nCOPY home /to-dir/\n",
        "real dir 755 0:0\nreal/home file 644 0:0 home\nto-dir link 0 0:0 real\n",
    ),
    "link: modes of directories are new": Case(
        "FROM scratch AS base\nCOPY src /s\nFROM base\nCOPY --link --chown=5 home /s/x/\n",
        "s dir 755 5:5\ns/c.txt file 644 0:0 src/c.txt\ns/x dir 755 5:5\n"
        "s/x/d.txt file 640 0:0 src/x/d.txt\ns/x/home file 644 5:5 home\n"
        "s/x/y dir 750 0:0\ns/x/y/e.txt file 644 0:0 src/x/y/e.txt\n",
    ),
    "chmod: octal with set-id bits beside chown": Case(
        "FROM scratch\nCOPY --chmod=6751 --chown=5:6 home /h\n", "h file 6751 5:6 home\n"
    ),
    "chmod: symbols": Case(
        "FROM scratch\nCOPY --chmod=u=rwX,go=rX src /s\nCOPY --chmod=+x,g=u home /h\n",
        "h file 775 0:0 home\ns dir 755 0:0\ns/c.txt file 644 0:0 src/c.txt\ns/x dir 755 0:0\n"
        "s/x/d.txt file 644 0:0 src/x/d.txt\ns/x/y dir 755 0:0\n"
        "s/x/y/e.txt file 644 0:0 src/x/y/e.txt\n",
    ),
    "chown: 32 bits": Case(
        "FROM scratch\nCOPY --chown=4000000000:4294967294 home /h\n",
        "h file 644 4000000000:4294967294 home\n",
    ),
    "special files": Case(
        "FROM scratch\nCOPY special /s\n",
        "s dir 755 0:0\ns/null char 640 0:0\ns/pipe fifo 600 0:0\n",
    ),
    "heredocs of COPY": Case(
        "FROM scratch\nARG WHO=you\nCOPY <<one <<-'two' home /t/\nfor ${WHO:-me}\none\n"
        "\tnot for $WHO\ntwo\nCOPY --chmod=711 --chown=3 <<end /alone\nend\n",
        "alone file 711 3:3\nt dir 755 0:0\nt/home file 644 0:0 home\n"
        "t/one file 644 0:0 for you\\n\nt/two file 644 0:0 not for $WHO\\n\n",
    ),
    "archives: zstd, and owners": Case(
        "FROM scratch\nADD --chown=7:8 a.tar.zst /a/\nADD --unpack=false a.tar.zst /b/\n"
        "ADD a.tar /c/\n",
        "a dir 755 7:8\na/in file 604 7:8 abc\nb dir 755 0:0\nb/a.tar.zst file 644 0:0 …\n"
        "c dir 755 0:0\nc/in file 604 11:12 abc\n",
    ),
}


def make_context(directory: str) -> None:
    modes = {"src/x": 0o700, "src/x/y": 0o750, "src/x/d.txt": 0o640}
    for name in ("home", "hom1.txt", "homm.md", "src/c.txt", "src/x/d.txt", "src/x/y/e.txt"):
        path = f"{directory}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(name)
    for name, mode in modes.items():
        os.chmod(f"{directory}/{name}", mode)
    os.makedirs(f"{directory}/links/real")
    os.symlink("real", f"{directory}/links/to-dir")
    os.makedirs(f"{directory}/special")
    os.mkfifo(f"{directory}/special/pipe", 0o600)
    os.mknod(f"{directory}/special/null", stat.S_IFCHR | 0o640, os.makedev(1, 3))
    with tarfile.open(f"{directory}/a.tar", "w") as archive:
        entry = tarfile.TarInfo("in")
        entry.size, entry.mode, entry.uid, entry.gid = 3, 0o604, 11, 12
        archive.addfile(entry, io.BytesIO(b"abc"))
    with open(f"{directory}/a.tar", "rb") as plain, open(f"{directory}/a.tar.zst", "wb") as file:
        file.write(zstandard.compress(plain.read()))


def listing(archive: str) -> str:
    lines = []
    for path, (kind, mode, uid, gid, content, *_) in sorted(
        tree_of(archive, mode_bits=0o7777).items()
    ):
        assert isinstance(kind, bytes)
        text = ""
        if isinstance(content, bytes):
            text = "…" if b"\0" in content else content.decode().replace("\n", "\\n")
        elif _KINDS[kind] == "link":
            text = str(content)
        lines.append(f"{path} {_KINDS[kind]} {mode:o} {uid}:{gid} {text}".rstrip())
    return "".join(f"{line}\n" for line in lines)


def build(orchestra: Orchestra, directory: str, dockerfile: str) -> str:
    with open(f"{directory}/Dockerfile", "w", encoding="utf-8") as file:
        file.write(dockerfile)
    orchestra("image", "build", "-q", "-t", "golden", directory)
    archive = f"{orchestra.directory}/golden.tar"
    orchestra("image", "save", "golden", "-o", archive)
    return listing(archive)


@pytest.mark.parametrize("name", CASES)
def test_the_tree_is_as_the_reference_says(name: str, orchestra: Orchestra, tmp_path: Path) -> None:
    case = CASES[name]
    make_context(str(tmp_path))
    assert build(orchestra, str(tmp_path), case.dockerfile) == case.tree


def test_run_heredocs(orchestra: Orchestra, tmp_path: Path) -> None:
    """A script for the shell, one with an interpreter of its own, and files for the command."""
    dockerfile = (
        "FROM host AS made\nARG WHO=you\nRUN <<EOF\nset -e\nmkdir /t\necho $WHO > /t/shell\nEOF\n"
        "RUN <<EOF\n#!/usr/bin/env python3\nopen('/t/python', 'w').write('3')\nEOF\n"
        "RUN cat <<'one' > /t/one && cat <<two > /t/two\n$WHO\none\nhi\ntwo\n"
        "FROM scratch\nCOPY --from=made /t /t\n"
    )
    assert build(orchestra, str(tmp_path), dockerfile) == (
        "t dir 755 0:0\nt/one file 644 0:0 $WHO\\n\nt/python file 644 0:0 3\n"
        "t/shell file 644 0:0 you\\n\nt/two file 644 0:0 hi\\n\n"
    )


def test_a_linked_copy_is_taken_from_the_cache_on_another_base(
    orchestra: Orchestra, tmp_path: Path
) -> None:
    """The point of --link: what lies below is not in its key."""
    make_context(str(tmp_path))
    for base, expected in (("home", "DONE"), ("homm.md", "CACHED")):
        dockerfile = f"FROM scratch\nCOPY {base} /base\nCOPY --link src /s\n"
        (tmp_path / "Dockerfile").write_text(dockerfile)
        done = orchestra("image", "build", "--progress", "plain", str(tmp_path))
        (line,) = (line for line in done.err.splitlines() if "COPY --link" in line)
        number = line.split()[0]
        assert f"{number} {expected}" in done.err


def test_named_contexts_take_the_place_of_stages_and_images(
    orchestra: Orchestra, tmp_path: Path
) -> None:
    """A directory can be begun with; its own ignore file counts."""
    make_context(str(tmp_path))
    (tmp_path / "src" / ".dockerignore").write_text("x/y\n.dockerignore\n")
    (tmp_path / "Dockerfile").write_text(
        "FROM absent AS stage\nCOPY absent /\nFROM image:latest\nCOPY --from=stage c.txt /stage\n"
    )
    contexts = ("--build-context", "image=src", "--build-context", "stage=src")
    at = orchestra.at(str(tmp_path))
    at("image", "build", "-q", *contexts, "-o", "type=docker,dest=golden.tar", ".")
    assert listing(f"{tmp_path}/golden.tar") == (
        "c.txt file 644 0:0 src/c.txt\nstage file 644 0:0 src/c.txt\nx dir 700 0:0\n"
        "x/d.txt file 640 0:0 src/x/d.txt\n"
    )


def test_a_pattern_that_matches_nothing_is_told_with_the_rule_that_hides(
    orchestra: Orchestra, tmp_path: Path
) -> None:
    make_context(str(tmp_path))
    (tmp_path / ".dockerignore").write_text("# none\nhom1*\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY hom1.* absent* /x/\nCOPY home /\n")
    done = orchestra("image", "build", "--progress", "plain", str(tmp_path))
    assert "no file matches hom1.* absent*: hom1.txt is hidden by" in done.err
    assert ".dockerignore:2" in done.err


def test_a_stage_that_is_misspelt_is_told_with_the_line(
    orchestra: Orchestra, tmp_path: Path
) -> None:
    """It could be an image; where that cannot be had, a stage is likelier."""
    (tmp_path / "Dockerfile").write_text(
        "FROM scratch AS build\nCOPY Dockerfile /\nFROM scratch\nCOPY --from=builds / /\n"
    )
    failed = orchestra("image", "build", "-q", str(tmp_path), code=17)
    assert "Dockerfile:4:1: builds: " in failed.err
    assert 'did you mean the stage "build"?' in failed.err


def test_a_stop_signal_that_is_none_is_refused(orchestra: Orchestra, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\nSTOPSIGNAL NOPE\n")
    failed = orchestra("image", "build", "-q", str(tmp_path), code=17)
    assert 'Dockerfile:3:1: STOPSIGNAL: "NOPE" is no signal' in failed.err
