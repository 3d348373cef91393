"""Dockerfiles through the command: steps, the cache, mounts, failures."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.building import build, file_in, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.harness.terminal import Terminal
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]


def test_only_the_steps_after_a_change_run_again(orchestra: Orchestra) -> None:
    text = "FROM host\nCOPY one /one\nRUN cat /one > /copy\nCOPY two /two\nRUN true > /end\n"
    write(orchestra, "one", "1")
    write(orchestra, "two", "2")
    write(orchestra, "Dockerfile", text)
    names = ["COPY", "RUN", "COPY", "RUN"]
    assert build(orchestra) == [(name, "done") for name in names]
    assert build(orchestra) == [(name, "cached") for name in names]
    os.utime(os.path.join(orchestra.directory, "one"), (1, 1))
    write(orchestra, "not-copied", "x")
    write(orchestra, "Dockerfile", text.replace("COPY one", "LABEL a=b\nCOPY one"))
    assert build(orchestra) == [(name, "cached") for name in names], "times and labels do not count"
    write(orchestra, "two", "changed")
    assert build(orchestra) == list(zip(names, ["cached", "cached", "done", "done"], strict=True))
    assert build(orchestra, "--no-cache") == [(name, "done") for name in names]


def test_variables_that_a_step_sees_are_in_its_key(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nRUN true\nARG V=1\nRUN echo $V > /v\n")
    build(orchestra)
    again = build(orchestra, "--build-arg", "V=2", "-t", "v")
    assert again == [("RUN", "cached"), ("RUN", "done")]
    assert file_in(orchestra, "v", "cat /v") == "2\n"


def test_stages_that_nobody_needs_are_not_built(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "Dockerfile",
        "FROM host AS one\nRUN echo 1 > /file\nFROM host AS broken\nRUN false\n"
        "FROM scratch\nCOPY --from=one /file /file\n",
    )
    assert build(orchestra) == [("RUN", "done"), ("COPY", "done")]
    assert orchestra("image", "build", "--target", "broken", ".", code=17).err


def test_the_same_input_gives_the_same_image(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nWORKDIR /w\nRUN mkdir a b && echo x > a/x\n")
    orchestra("image", "build", "-q", ".")  # a layer with today's times is another one
    orchestra.env["SOURCE_DATE_EPOCH"] = "1700000000"
    first = orchestra("image", "build", "-q", ".").out
    second = orchestra("image", "build", "-q", "--no-cache", ".").out
    assert first == second != ""


def test_a_failing_step_is_shown_in_the_file_with_its_output(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nRUN echo first\nRUN echo why; exit 3\n")
    failed = orchestra("image", "build", "-q", "-t", "broken", ".", code=17)
    assert failed.err.splitlines() == [
        'Dockerfile:3: the command "/bin/sh -c echo why; exit 3" has ended with exit code 3',
        "Dockerfile:3",
        "--------------------",
        " 1 |     FROM host",
        " 2 |     RUN echo first",
        " 3 | >>> RUN echo why; exit 3",
        "--------------------",
        "why",
    ]
    assert "broken" not in orchestra("image", "ls").out


def test_secrets_are_seen_by_their_step_and_stay_nowhere(orchestra: Orchestra) -> None:
    secret = "swordfish-4711"
    write(orchestra, "token", secret)
    write(
        orchestra,
        "context/Dockerfile",
        "FROM host\nRUN --mount=type=secret,id=token,required wc -c < /run/secrets/token > /size\n"
        'RUN --mount=type=secret,id=token,env=TOKEN test -n "$TOKEN"\nRUN test ! -e /run/secrets\n',
    )
    orchestra("image", "build", "-q", "-t", "s", "--secret", "id=token,src=token", "context")
    assert file_in(orchestra, "s", "cat /size") == f"{len(secret)}\n"
    found = subprocess.run(
        ["grep", "-rl", secret, orchestra.env["ORCHESTRA_DATA_ROOT"]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""


def test_cache_mounts_persist_and_are_in_no_layer(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "Dockerfile",
        "FROM host\nARG N\nRUN --mount=type=cache,target=/var/cache/x "
        "echo $N >> /var/cache/x/log; cp /var/cache/x/log /log\n",
    )
    for number in ("1", "2"):
        orchestra("image", "build", "-q", "-t", "c", "--build-arg", f"N={number}", ".")
    assert file_in(orchestra, "c", "cat /log; ls /var/cache") == "1\n2\n"


def test_bind_mounts_show_the_context_without_what_is_hidden(orchestra: Orchestra) -> None:
    write(orchestra, "seen", "s")
    write(orchestra, "unseen", "u")
    write(orchestra, ".dockerignore", "unseen\n")
    write(
        orchestra,
        "Dockerfile",
        "FROM host\nRUN --mount=target=/ctx ls /ctx > /list; ! touch /ctx/x 2>/dev/null\n"
        "RUN --mount=target=/ctx,rw touch /ctx/written\n",
    )
    orchestra("image", "build", "-q", "-t", "b", ".")
    assert file_in(orchestra, "b", "cat /list; ls -d /ctx 2>&1 | tail -c 10").startswith(
        "Dockerfile\nseen\n"
    )
    assert not os.path.exists(os.path.join(orchestra.directory, "written"))


def test_scripts_in_heredocs_run_by_shell_or_interpreter(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "Dockerfile",
        "FROM host\nRUN <<EOF\nset -e\necho one > /one\nEOF\n"
        "RUN <<EOF\n#!/bin/cat\nthe script itself\nEOF\n",
    )
    done = orchestra("image", "build", "--progress", "plain", "-t", "h", ".")
    assert "the script itself" in done.err
    assert file_in(orchestra, "h", "cat /one") == "one\n"


def test_a_terminal_shows_the_running_steps_and_what_failed(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write(
        orchestra,
        "Dockerfile",
        "FROM host AS one\nRUN echo line-of-one; sleep 1; echo 1 > /1\n"
        "FROM host AS two\nRUN echo line-of-two; sleep 2; echo why; exit 9\n"
        "FROM host\nCOPY --from=one /1 /1\nCOPY --from=two / /2\n",
    )
    shown = terminal("image", "build", ".", cwd=orchestra.directory)
    shown.expect("line-of-one\r\n")
    shown.expect("line-of-two\r\n")
    assert shown.wait() == 17
    output = shown.output
    for text in ("✔", "✘", "[one 2/2]", "[two 2/2]", ">>> RUN echo line-of-two", "why", "code 9"):
        assert text in output, text


def test_the_cache_outlives_removed_images_until_it_is_pruned(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "Dockerfile",
        "FROM host AS one\nRUN --mount=type=cache,target=/c dd if=/dev/zero of=/big bs=1M count=2\n"
        "FROM scratch\nCOPY --from=one /big /other\n",
    )
    assert build(orchestra, "-t", "pruned") == [("RUN", "done"), ("COPY", "done")]
    orchestra("image", "rm", "pruned")
    orchestra("image", "prune", "-af")
    assert build(orchestra) == [("RUN", "cached"), ("COPY", "cached")]
    listed = orchestra("builder", "du").out
    assert "dd if=/dev/zero" in listed
    assert "cache mount" in listed
    assert "MB" in orchestra("builder", "prune", "-f").out
    assert "dd if" not in orchestra("builder", "du").out
    assert build(orchestra) == [("RUN", "done"), ("COPY", "done")]


def test_platforms_of_other_machines_are_refused_and_ones_own_is_not(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "ARG P\nFROM --platform=$P host\nRUN true\n")
    orchestra("image", "build", "-q", "--build-arg", f"P=linux/{os.uname().machine}", ".")
    failed = orchestra("image", "build", "-q", "--build-arg", "P=linux/s390x", ".", code=17)
    assert "Dockerfile:2:1: FROM: linux/s390x is not this machine's" in failed.err


def test_what_builds_keep_is_the_owners_only(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nRUN true\n")
    orchestra("image", "build", "-q", ".")
    assert os.stat(orchestra.env["ORCHESTRA_DATA_ROOT"]).st_mode & 0o777 == 0o700
