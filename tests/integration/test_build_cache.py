"""Which steps run again after which change, and which must not."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]


def write(orchestra: Orchestra, name: str, text: str) -> None:
    path = os.path.join(orchestra.directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def steps(orchestra: Orchestra, *flags: str) -> list[tuple[str, str]]:
    """Build and list (instruction, "cached" | "done") of the steps that change files."""
    done = orchestra("image", "build", "--progress", "rawjson", *flags, ".")
    events = [json.loads(line) for line in done.err.splitlines()]
    return [
        (event["id"].partition("] ")[2].split()[0], event["status"].lower())
        for event in events
        if event["status"] in ("Cached", "Done")
        and "] " in event["id"]
        and "] FROM" not in event["id"]
    ]


CHANGES = {
    # change: (COPY one, RUN cat, ENV + RUN env, COPY dir, RUN last); c: cached, D: done
    "nothing": "ccccc",
    "touch": "ccccc",
    "label": "ccccc",
    "file that is ignored": "ccccc",
    "file that nobody copies": "ccccc",
    "comment and empty lines": "ccccc",
    "expose, cmd, healthcheck": "ccccc",
    "content of one": "DDDDD",
    "mode of one": "DDDDD",
    "content of one, cat's result the same": "DDDDD",
    "environment": "ccDDD",
    "argument that is not declared": "ccccc",
    "argument that is declared": "ccDDD",
    "proxy": "ccccc",
    "name in dir": "cccDD",
    "new file in dir": "cccDD",
    "link's target in dir": "cccDD",
    "file of dir that the ignore file hides now": "cccDD",
    "last command": "ccccD",
    "user": "ccccD",
    "working directory": "ccccD",
    "shell": "ccccD",
}
STEPS = """\
FROM host
COPY one /one
RUN cat /one > /copy
ARG DECLARED=1
ENV A=1
RUN env > /env
COPY dir /dir/
#before-last
RUN echo last > /tmp/last
"""


def change(orchestra: Orchestra, what: str) -> tuple[str, ...]:
    """Make the change; flags for the next build."""
    at = orchestra.directory
    edits = {
        "label": ("FROM host", "FROM host\nLABEL l=v"),
        "comment and empty lines": ("COPY dir", "\n# a comment\nCOPY dir"),
        "expose, cmd, healthcheck": ("FROM host", "FROM host\nEXPOSE 80\nHEALTHCHECK CMD a\nCMD b"),
        "environment": ("A=1", "A=2"),
        "last command": ("echo last", "echo  last"),
        "user": ("#before-last", "USER 1000"),
        "working directory": ("#before-last", "WORKDIR /usr"),
        "shell": ("#before-last", 'SHELL ["/bin/sh", "-ec"]'),
    }
    files = {
        "file that is ignored": ("dir/hidden.log", "2"),
        "file that nobody copies": ("other", "2"),
        "content of one": ("one", "2"),
        "content of one, cat's result the same": ("one", "1 "),
        "new file in dir": ("dir/new", ""),
        "file of dir that the ignore file hides now": (".dockerignore", "**/*.log\ndir/a\n"),
    }
    flags = {
        "argument that is not declared": ("--build-arg", "OTHER=1"),
        "argument that is declared": ("--build-arg", "DECLARED=2"),
        "proxy": ("--build-arg", "http_proxy=http://127.0.0.1:9"),
    }
    if what in edits:
        write(orchestra, "Dockerfile", STEPS.replace(*edits[what]))
    elif what in files:
        write(orchestra, *files[what])
    elif what == "touch":
        os.utime(os.path.join(at, "one"), (1, 1))
    elif what == "mode of one":
        os.chmod(os.path.join(at, "one"), 0o600)
    elif what == "name in dir":
        os.rename(os.path.join(at, "dir/a"), os.path.join(at, "dir/b"))
    elif what == "link's target in dir":
        os.unlink(os.path.join(at, "dir/link"))
        os.symlink("elsewhere", os.path.join(at, "dir/link"))
    return flags.get(what, ())


@pytest.mark.parametrize("what", CHANGES)
def test_each_change_runs_again_what_it_must_and_nothing_else(
    orchestra: Orchestra, what: str
) -> None:
    write(orchestra, "Dockerfile", STEPS)
    write(orchestra, ".dockerignore", "**/*.log\n")
    write(orchestra, "one", "1")
    write(orchestra, "dir/a", "a")
    write(orchestra, "dir/hidden.log", "1")
    os.symlink("a", os.path.join(orchestra.directory, "dir/link"))
    assert {status for _, status in steps(orchestra)} == {"done"}
    flags = change(orchestra, what)
    found = [status for name, status in steps(orchestra, *flags) if name != "WORKDIR"]
    assert "".join({"cached": "c", "done": "D"}[each] for each in found) == CHANGES[what]
