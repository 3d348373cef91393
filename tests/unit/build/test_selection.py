"""Which files a COPY takes, and what its digest depends on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchestra.build.ignore import NOTHING_IGNORED, IgnoreRules, parse_ignore
from orchestra.build.selection import Missing, Outside, Source, Wanted, digest, select

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Source]:
    for name, text in {"a.py": "a", "b.py": "b", "c.txt": "c", "d/e.py": "e", "d/f/g": "g"}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield Source(fd, owner=(0, 0))
    os.close(fd)


def names(source: Source, *sources: str, exclude: str = "", parents: bool = False) -> list[str]:
    wanted = Wanted(sources, parse_ignore(exclude, "x"), parents)
    return [
        f"{match.name}:{item.target}" if match.is_directory else match.name
        for match in select(source, wanted)
        for item in match.items
    ]


def ignoring(source: Source, text: str) -> Source:
    return source._replace(ignore=parse_ignore(text, ".dockerignore"))


def test_wildcards_match_in_one_directory(context: Source) -> None:
    assert names(context, "*.py") == ["a.py", "b.py"]
    assert names(context, "d/*.py") == ["e.py"]
    assert names(context, "**/*.py") == ["e.py"], "Go's filepath.Match knows one star"
    assert names(context, "[ac].*") == ["a.py", "c.txt"]


def test_a_directory_brings_all_that_lies_in_it(context: Source) -> None:
    assert names(context, "d") == ["d:", "d:e.py", "d:f", "d:f/g"]


def test_a_wildcard_without_matches_is_no_error(context: Source) -> None:
    assert names(context, "*.none") == []


def test_a_missing_file_is_told(context: Source) -> None:
    with pytest.raises(Missing) as caught:
        names(context, "nothing")
    assert caught.value.pattern is None


def test_a_hidden_file_is_told_with_its_pattern(context: Source) -> None:
    with pytest.raises(Missing) as caught:
        names(ignoring(context, "*.txt"), "c.txt")
    assert caught.value.pattern is not None
    assert caught.value.pattern.text == "*.txt"


@pytest.mark.parametrize("source", ["../x", "a/../../x", ".."])
def test_what_lies_above_the_context_is_refused(context: Source, source: str) -> None:
    with pytest.raises(Outside):
        names(context, source)


def test_links_are_followed_inside_of_the_context_only(context: Source, tmp_path: Path) -> None:
    (tmp_path / "to-a").symlink_to("/a.py")
    (tmp_path / "out").symlink_to("/etc/passwd")
    (tmp_path / "up").symlink_to("../../../../etc/passwd")
    assert names(context, "to-a") == ["to-a"]
    for name in ("out", "up"):
        with pytest.raises(Missing):
            names(context, name)


def test_hidden_files_are_left_out_but_not_what_is_brought_back(context: Source) -> None:
    assert names(ignoring(context, "d/f"), "d") == ["d:", "d:e.py"]
    assert names(ignoring(context, "d\n!d/f/g"), "d") == ["d:", "d:f", "d:f/g"]


def test_excluded_files_are_left_out(context: Source) -> None:
    assert names(context, "d", exclude="f") == ["d:", "d:e.py"]


def test_parents_keeps_the_way_to_a_file(context: Source) -> None:
    assert names(context, "d/e.py", "a.py", parents=True) == ["d/e.py", "a.py"]
    assert names(context, "d/./f/g", parents=True) == ["f/g"]


def test_the_digest_has_contents_and_modes_but_no_times(context: Source, tmp_path: Path) -> None:
    def now(rules: IgnoreRules = NOTHING_IGNORED) -> str:
        source = context._replace(ignore=rules)
        return digest(source, select(source, Wanted((".",))))

    first = now()
    os.utime(tmp_path / "a.py", (1, 1))
    assert now() == first
    os.chmod(tmp_path / "a.py", 0o755)
    second = now()
    assert second != first
    (tmp_path / "a.py").write_text("changed")
    third = now()
    assert third != second
    (tmp_path / "new").write_text("")
    assert now() != third
    assert now(parse_ignore("new", "x")) == third


def test_two_stars_with_parents_go_through_directories(context: Source) -> None:
    assert names(context, "**/*.py", parents=True) == ["a.py", "b.py", "d/e.py"]


def test_excluded_files_are_left_out_when_a_pattern_has_named_them(context: Source) -> None:
    assert names(context, "*", exclude="*.py") == ["c.txt", "d:", "d:f", "d:f/g"]
    assert names(context, "d", exclude="*/g") == ["d:", "d:e.py", "d:f"]
    assert names(context, "**/*.py", parents=True, exclude="d/*.py") == ["a.py", "b.py"]
    assert names(context, "d", parents=True, exclude="d/f") == ["d:", "d:e.py"]


def test_a_link_that_leads_nowhere_or_to_what_is_hidden_is_missing(
    context: Source, tmp_path: Path
) -> None:
    (tmp_path / "x.lnk").symlink_to("/absent")
    (tmp_path / "y.lnk").symlink_to("c.txt")
    with pytest.raises(Missing) as caught:
        names(context, "*.lnk")
    assert (caught.value.source, caught.value.target) == ("x.lnk", "/absent")
    assert names(context, "y*.lnk") == ["y.lnk"]
    with pytest.raises(Missing) as caught:
        names(ignoring(context, "c.txt"), "y.lnk")
    assert caught.value.target == "c.txt"
    assert names(ignoring(context, "x.lnk"), "*.lnk") == ["y.lnk"], "hidden, so nobody asked for it"


def test_what_a_linked_directory_shows_is_told_by_real_names(
    context: Source, tmp_path: Path
) -> None:
    (tmp_path / "l").symlink_to("d")
    assert names(ignoring(context, "d/f"), "l") == ["l:", "l:e.py"]
