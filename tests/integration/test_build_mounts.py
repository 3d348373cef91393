"""RUN --mount: caches with a beginning, binds of stages, secrets and agents that stay nowhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.building import build, file_in, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

needs_ssh = pytest.mark.skipif(not shutil.which("ssh-agent"), reason="needs openssh-client")


def test_a_cache_begins_with_the_files_of_a_stage_and_keeps_its_own(orchestra: Orchestra) -> None:
    text = (
        "FROM host AS seed\nRUN mkdir -p /seed/sub && echo first > /seed/sub/log\n"
        "FROM host\nARG N\n"
        "RUN --mount=type=cache,target=/c,from=seed,source=/seed/sub"
        " echo $N >> /c/log; cp /c/log /log\n"
    )
    write(orchestra, "Dockerfile", text)
    for number in ("1", "2"):
        build(orchestra, "-t", "c", "--build-arg", f"N={number}")
    assert file_in(orchestra, "c", "cat /log") == "first\n1\n2\n"
    write(orchestra, "Dockerfile", text.replace("echo first", "echo other"))
    build(orchestra, "-t", "c", "--build-arg", "N=3")
    assert file_in(orchestra, "c", "cat /log") == "other\n3\n", "another beginning, another cache"
    write(orchestra, "Dockerfile", text.replace("source=/seed/sub", "source=/seed/sub/log"))
    failed = orchestra("image", "build", "-q", ".", code=17)
    assert "is filled from a directory" in failed.err


def test_a_cache_has_the_owner_and_mode_that_are_asked_for(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "Dockerfile",
        "FROM host\nRUN --mount=type=cache,target=/c,id=x,uid=7,gid=8,mode=0711 "
        "stat -c '%u %g %a' /c > /seen\n",
    )
    build(orchestra, "-t", "m")
    assert file_in(orchestra, "m", "cat /seen") == "7 8 711\n"


@pytest.mark.parametrize("sharing", ["shared", "private", "locked"])
def test_builds_at_the_same_time_share_a_cache_as_told(orchestra: Orchestra, sharing: str) -> None:
    """Each writes its mark, waits for the other's as long as it may, and tells what it saw."""
    step = (
        f"RUN --mount=type=cache,target=/c,sharing={sharing} touch /c/$N; "
        "for i in 1 2 3 4 5 6 7 8; do test $(ls /c | wc -l) = 2 && break; sleep 0.25; done; "
        f"ls /c | wc -l > /seen; {'rm /c/$N' if sharing == 'locked' else 'true'}\n"
    )
    write(
        orchestra,
        "Dockerfile",
        f"FROM host AS a\nENV N=a\n{step}FROM host AS b\nENV N=b\n{step}"
        "FROM host\nCOPY --from=a /seen /a\nCOPY --from=b /seen /b\n",
    )
    build(orchestra, "-t", "s")
    seen = file_in(orchestra, "s", "cat /a /b").split()
    assert seen == (["2", "2"] if sharing == "shared" else ["1", "1"])


def test_a_bind_shows_the_files_of_a_stage(orchestra: Orchestra) -> None:
    text = (
        "FROM host AS tool\nRUN mkdir /t && echo one > /t/f\n"
        "FROM host\nRUN --mount=type=bind,from=tool,source=/t,target=/x cp /x/f /f\n"
    )
    write(orchestra, "Dockerfile", text)
    build(orchestra, "-t", "b")
    assert file_in(
        orchestra, "b", "cat /f; ls -d /x 2>&1 | wc -l; test ! -e /x/f && echo gone"
    ) == ("one\n1\ngone\n")
    again = build(orchestra)
    assert again == [("RUN", "cached"), ("RUN", "cached")]
    write(orchestra, "Dockerfile", text.replace("echo one", "echo two"))
    assert build(orchestra) == [("RUN", "done"), ("RUN", "done")]


def found(orchestra: Orchestra, secret: str) -> list[str]:
    """The files below the data and run roots that hold *secret*."""
    roots = [orchestra.env["ORCHESTRA_DATA_ROOT"], orchestra.env["ORCHESTRA_RUN_ROOT"]]
    return found_below(roots, secret)


def found_below(roots: list[str], secret: str) -> list[str]:
    done = subprocess.run(
        ["grep", "-rlaF", secret, *(root for root in roots if os.path.isdir(root))],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines()


def test_compose_secrets_come_from_files_and_variables_and_stay_nowhere(
    orchestra: Orchestra,
) -> None:
    write(orchestra, "token", "file-swordfish-4711")
    write(
        orchestra,
        "compose.yaml",
        "services:\n  app:\n    image: app:1\n    build:\n      context: .\n"
        "      secrets: [one, {source: two, target: deux}]\n      cache_to: ['type=local,dest=c']\n"
        "      dockerfile_inline: |\n        FROM host\n"
        "        RUN --mount=type=secret,id=one --mount=type=secret,id=deux,env=TWO "
        "wc -c < /run/secrets/one > /size; echo $${#TWO} >> /size\n"
        "secrets:\n  one: {file: ./token}\n  two: {environment: TWO}\n",
    )
    orchestra("build", env={"TWO": "env-swordfish-0815"})
    assert file_in(orchestra, "app:1", "cat /size") == "19\n18\n"
    assert found(orchestra, "swordfish") == []
    assert (
        subprocess.run(["grep", "-rlaF", "swordfish", f"{orchestra.directory}/c"]).returncode != 0
    )


def test_secrets_by_flags_are_files_variables_and_ids(orchestra: Orchestra) -> None:
    write(orchestra, "token", "swordfish-1")
    write(
        orchestra,
        "Dockerfile",
        "FROM host\nRUN --mount=type=secret,id=a,uid=7,mode=0440 --mount=type=secret,id=B,env=X "
        "--mount=type=secret,id=c,target=/s stat -c '%u %a' /run/secrets/a > /o; "
        "echo ${#X} >> /o; wc -c < /s >> /o\n",
    )
    orchestra(
        "image", "build", "-q", "-t", "s", "--secret", "id=a,src=token", "--secret", "id=B,env=B",
        "--secret", "id=c,type=file,source=token", ".", env={"B": "swordfish-22"},
    )  # fmt: skip
    assert file_in(orchestra, "s", "cat /o") == "7 440\n12\n11\n"
    assert found(orchestra, "swordfish") == []


@pytest.fixture
def key(orchestra: Orchestra) -> str:
    path = os.path.join(orchestra.directory, "id_test")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


@pytest.fixture
def agent(orchestra: Orchestra, key: str) -> Iterator[str]:
    """The socket of an agent of the user's."""
    socket = os.path.join(orchestra.directory, "agent")
    running = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.PIPE)
    assert running.stdout is not None
    running.stdout.readline()
    environ = {**os.environ, "SSH_AUTH_SOCK": socket}
    subprocess.run(["ssh-add", "-q", key], env=environ, check=True)
    yield socket
    running.terminate()
    running.wait(timeout=10)
    running.stdout.close()


SSH = "FROM host\nRUN --mount=type=ssh{} ssh-add -l | cut -d' ' -f2 > /keys; ! test -e $HOME/.x\n"


def fingerprint(key: str) -> str:
    listed = subprocess.run(["ssh-keygen", "-lf", key], capture_output=True, text=True, check=True)
    return listed.stdout.split()[1]


@needs_ssh
def test_a_step_reaches_the_users_agent(orchestra: Orchestra, agent: str, key: str) -> None:
    write(orchestra, "ctx/Dockerfile", SSH.format(",required"))
    flags = ("image", "build", "-q", "-t", "ssh")
    orchestra(*flags, "--ssh", "default", "ctx", env={"SSH_AUTH_SOCK": agent})
    assert file_in(orchestra, "ssh", "cat /keys").strip() == fingerprint(key)
    write(orchestra, "ctx/Dockerfile", SSH.format(",required,id=other"))
    orchestra(*flags, "--ssh", f"other={agent}", "ctx")
    again = (*flags, "--no-cache", "--ssh", "default", "ctx")
    failed = orchestra(*again, env={"SSH_AUTH_SOCK": agent}, code=17)
    assert 'the ssh agent "other" is required' in failed.err


@needs_ssh
def test_keys_get_an_agent_that_is_gone_after_the_build(orchestra: Orchestra, key: str) -> None:
    write(orchestra, "ctx/Dockerfile", SSH.format(",id=deploy"))
    write(
        orchestra,
        "compose.yaml",
        "services:\n  app:\n    image: ssh\n    build: {context: ctx, ssh: [deploy=./id_test]}\n",
    )
    orchestra("build")
    assert file_in(orchestra, "ssh", "cat /keys").strip() == fingerprint(key)
    with open(key, encoding="ascii") as file:
        secret = file.read().splitlines()[2]
    assert found(orchestra, secret) == []
    locked = os.path.join(orchestra.directory, "locked")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "words", "-f", locked], check=True)
    failed = orchestra("image", "build", "-q", "--ssh", f"deploy={locked}", "ctx", code=17)
    assert "a key with a passphrase must be in an agent" in failed.err
    failed = orchestra("image", "build", "-q", "--ssh", "deploy=nothing", "ctx", code=None)
    assert "is not there" in failed.err


def test_what_is_not_made_is_said_and_what_is_not_allowed_refused(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nRUN true\n")
    done = orchestra(
        "image", "build", "--progress", "plain", "--provenance", "mode=max", "--sbom", "true",
        "--allow", "network.host", "--load", "--rm", ".",
    )  # fmt: skip
    assert "provenance is not made" in done.err
    assert "sbom is not made" in done.err
    quiet = orchestra("image", "build", "--progress", "plain", "--provenance", "false", ".")
    assert "not made" not in quiet.err
    failed = orchestra("image", "build", "-q", "--allow", "security.insecure", ".", code=None)
    assert failed.code != 0
    assert "more rights" in failed.err
    failed = orchestra("image", "build", "-q", "--platform", "linux/s390x", ".", code=None)
    assert "cannot build for linux/s390x" in failed.err
    assert "qemu-user-static" in failed.err
