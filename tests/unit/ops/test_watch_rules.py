from __future__ import annotations

import pytest

from orchestra.build.ignore import parse_ignore
from orchestra.model.develop import WatchAction, WatchRule
from orchestra.ops.watch_rules import (
    Actions,
    Copy,
    Rule,
    actions_for,
    as_dockerignore,
    below,
)


def rule(
    action: WatchAction = WatchAction.SYNC,
    *,
    service: str = "web",
    path: str = "/p/src",
    target: str = "/app",
    ignore: str = "",
    include: str = "",
    dockerignore: str = "",
) -> Rule:
    return Rule(
        service,
        WatchRule(path=path, action=action, target=target),
        include=parse_ignore(include, "include"),
        ignore=parse_ignore(ignore, "ignore"),
        context="/p",
        dockerignore=as_dockerignore(parse_ignore(dockerignore, ".dockerignore")),
    )


@pytest.mark.parametrize(
    ("path", "is_about"),
    [
        ("/p/src", True),
        ("/p/src/a/b.py", True),
        ("/p/src2/a.py", False),
        ("/p", False),
        ("/p/src/a/b.log", False),  # ignore
        ("/p/src/tmp/x", False),  # .dockerignore, counted from the context
        ("/p/src/tmp", False),
        ("/p/src/.git/index", False),
        ("/p/src/a/.main.py.swp", False),
        ("/p/src/a/4913", False),
        ("/p/src/a/main.py~", False),
        ("/p/src/a/#main.py#", False),
        ("/p/src/a/.#main.py", False),
        ("/p/src/.idea/workspace.xml", False),
        ("/p/src/a/main.py___jb_tmp___", False),
        ("/p/src/.gitignore", True),
    ],
)
def test_which_files_a_rule_is_about(path: str, is_about: bool) -> None:
    ours = rule(ignore="**/*.log", dockerignore="src/tmp")
    assert ours.is_about(path) is is_about


def test_include_leaves_everything_else_out() -> None:
    ours = rule(include="**/*.py\ntemplates", ignore="secret.py")
    assert ours.is_about("/p/src/a/b.py")
    assert ours.is_about("/p/src/templates/x.html")
    assert not ours.is_about("/p/src/x.html")
    assert not ours.is_about("/p/src/secret.py")


def test_a_bare_star_in_dockerignore_ignores_nothing_as_with_compose() -> None:
    assert rule(dockerignore="*\n!src").is_about("/p/src/a")
    assert rule(dockerignore="*\n!other").is_about("/p/src/a")


def test_ignored_directories_are_not_looked_into_unless_something_is_brought_back() -> None:
    assert rule(ignore="node_modules").ignores_all_below("/p/src/node_modules")
    assert rule(ignore="node_modules").ignores_all_below("/p/other")
    assert not rule(ignore="vendor\n!vendor/ours").ignores_all_below("/p/src/vendor")
    assert not rule(ignore="node_modules").ignores_all_below("/p/src/lib")


@pytest.mark.parametrize(
    ("path", "target", "changed", "goes_to"),
    [
        ("/p/src", "/app", "/p/src/a/b", "/app/a/b"),
        ("/p/src", "/app/", "/p/src/a", "/app/a"),
        ("/p/src", "/app", "/p/src", "/app"),
        ("/p/one.txt", "/app/two.txt", "/p/one.txt", "/app/two.txt"),
        ("/p/one.txt", "/app/", "/p/one.txt", "/app/one.txt"),
        ("/p/src", "/", "/p/src/a", "/a"),
        ("/p/src", "app", "/p/src/a", "/app/a"),
    ],
)
def test_where_a_file_goes(path: str, target: str, changed: str, goes_to: str) -> None:
    assert rule(path=path, target=target).target_of(changed) == goes_to


def test_one_batch_asks_for_each_thing_once() -> None:
    rules = (
        rule(WatchAction.SYNC),
        rule(WatchAction.SYNC_RESTART, path="/p/etc", target="/etc/app"),
        rule(WatchAction.REBUILD, path="/p/package.json", target=""),
        rule(WatchAction.RESTART, service="proxy", path="/p/etc", target=""),
        rule(WatchAction.SYNC_EXEC, service="proxy", path="/p/etc", target="/conf"),
    )
    assert actions_for(("/p/etc/a", "/p/etc/b", "/p/src/x", "/p/elsewhere"), rules) == Actions(
        rebuild=(),
        sync=(
            (
                "web",
                (
                    Copy("/p/src/x", "/app/x"),
                    Copy("/p/etc/a", "/etc/app/a"),
                    Copy("/p/etc/b", "/etc/app/b"),
                ),
            ),
            ("proxy", (Copy("/p/etc/a", "/conf/a"), Copy("/p/etc/b", "/conf/b"))),
        ),
        restart=("web", "proxy"),
        execute=(rules[4],),
    )
    assert actions_for(("/p/package.json",), rules) == Actions(rebuild=("web",))
    assert actions_for(("/p/elsewhere",), rules) == Actions()


def test_below() -> None:
    assert below("/a/b", "/a") == "b"
    assert below("/a", "/a") == ""
    assert below("/ab", "/a") is None
    assert below("/ab", "/") == "ab"
