"""`.dockerignore`: patterns, exceptions, and what may lie below a hidden directory."""

from __future__ import annotations

import pytest

from orchestra.build.ignore import IgnoreRules, parse_ignore


def rules(*lines: str) -> IgnoreRules:
    return parse_ignore("\n".join(lines), ".dockerignore")


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.log", "a.log"),
        ("node_modules", "node_modules/a/b"),
        ("/build", "build/x"),
        ("build/", "build"),
        ("./build", "build"),
        ("a/../b", "b"),
        ("**/*.pyc", "x.pyc"),
        ("**/*.pyc", "a/b/x.pyc"),
        ("**", "anything/at/all"),
        ("docs/**/draft", "docs/draft"),
        ("docs/**/draft", "docs/a/b/draft/page"),
        ("temp?", "temp1"),
        ("[a-c].txt", "b.txt"),
        ("[^a].txt", "b.txt"),
        ("[+--]", ","),
        ("[a-]", "-"),
        ("[a&&b]", "&"),
        ("\\*", "*"),
        ("*", "dir/file"),
        ("*/x", "a/x"),
    ],
)
def test_pattern_hides_the_path(pattern: str, path: str) -> None:
    assert rules(pattern).hides(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.log", "a/b.log"),
        ("build", "rebuild"),
        ("*/x", "x"),
        ("[a-c].txt", "d.txt"),
        ("[^a].txt", "a.txt"),
        ("temp?", "temp"),
        ("a?b", "a/b"),
        ("# comment", "# comment"),
        (".", "x"),
        ("docs/*", "docs"),
    ],
)
def test_pattern_leaves_the_path_alone(pattern: str, path: str) -> None:
    assert not rules(pattern).hides(path)


def test_the_last_pattern_that_matches_decides() -> None:
    found = rules("*.md", "!README*.md", "README-secret.md")
    assert [
        found.hides(name) for name in ("x.md", "README.md", "README-secret.md", "README-x.md")
    ] == [True, False, True, False]


def test_an_exception_brings_back_files_below_a_hidden_directory() -> None:
    found = rules("vendor", "!vendor/keep/me")
    assert found.hides("vendor/other")
    assert not found.hides("vendor/keep/me/file")


def test_a_hidden_directory_is_searched_only_when_an_exception_may_lie_below() -> None:
    found = rules("node_modules", "vendor", "!vendor/keep")
    assert found.may_show_below("vendor")
    assert not found.may_show_below("node_modules")
    assert rules("a", "!**/x").may_show_below("a")


def test_the_message_can_name_the_pattern() -> None:
    pattern = rules("", "*.tmp").decider("x.tmp")
    assert pattern is not None
    assert (pattern.text, pattern.line) == ("*.tmp", 2)
