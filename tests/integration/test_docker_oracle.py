"""The same script through Docker's own command and through `orchestra docker`, step by step.

Exit codes are equal, and so is stdout after `plainly`, which takes out what differs by nature: ids,
times and how wide the columns are. stderr is worded otherwise; whether there is any is compared.
Left out: `exec` of a command that is not there, 126 with Debian's old Docker and 127 with new ones;
HostConfig.NetworkMode, "default" with old ones and "bridge" with new ones.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.docker_engine import DockerEngine, why_no_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.docker, pytest.mark.slow]

IMAGE = "oracle:busybox"

STEPS = r"""
run --rm oracle:busybox sh -c 'echo out; echo err >&2; exit 3'
run --name first -e A=1 -w /tmp -u 7:8 oracle:busybox sh -c 'echo $A; pwd; id -u; id -g'
run --name first oracle:busybox true
run --rm oracle:busybox no-such-command
run --rm oracle:busybox /etc
run --nope oracle:busybox
run
run --rm -d --restart always oracle:busybox true
run --rm --memory lots oracle:busybox true
run --rm --network nowhere oracle:busybox true
run --rm --mount type=bind,source=/nowhere,target=/x oracle:busybox true
run --rm -i --entrypoint cat oracle:busybox
run --rm -a STDERR oracle:busybox sh -c 'echo out; echo err >&2'
run --rm --tmpfs /t --read-only oracle:busybox sh -c 'echo x > /t/x && cat /t/x; echo y > /y'
run --rm --hostname box oracle:busybox hostname
run --rm --add-host there:10.1.2.3 oracle:busybox grep there /etc/hosts
run --rm --ulimit nofile=77:88 oracle:busybox sh -c 'ulimit -n'
run --rm --cap-drop ALL oracle:busybox grep CapEff /proc/self/status
run -d --name web --label tier=front --label x --stop-timeout 1 oracle:busybox sleep 1000
run -d --name db --label tier=back --network none oracle:busybox sleep 1000
ps
ps -q --filter name=web
ps -a --filter label=tier --format '{{.Names}}|{{.Image}}|{{.Command}}|{{.State}}|{{.Labels}}'
ps -a --filter status=exited --format '{{.Names}} {{.Label "tier"}}'
ps -a --filter exited=0 --format '{{.Names}}'
ps --filter label=tier=front --format 'table {{.Names}}\t{{.Image}}'
ps -l --format '{{.Names}}'
ps -n 2 --format '{{.Names}}'
ps --filter nothing=1
ps --filter status=odd
ps -aq --filter ancestor=oracle:busybox --filter name=first
exec web echo hello
exec -e A=1 -w /tmp -u 7 web sh -c 'echo $A; pwd; id -u'
exec web sh -c 'exit 5'
exec nobody true
exec first true
inspect -f '{{.Name}} {{.State.Status}} {{.State.Running}} {{.Config.Image}}' web db
inspect -f '{{json .Config.Cmd}} {{json .Config.Entrypoint}} {{.Config.StopTimeout}}' web
inspect -f '{{json .Config.Labels}} {{.Config.WorkingDir}} {{.Config.User}}' first web
inspect -f '{{.State.ExitCode}} {{.Path}} {{json .Args}} {{.Config.Tty}}' first
inspect -f '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.ShmSize}}' web
inspect --type image -f '{{json .Config.Cmd}} {{.Os}}' oracle:busybox
inspect --type container oracle:busybox
inspect nothing
logs first
logs --tail 1 first
logs nobody
cp first:/etc/hostname -
cp nobody:/x .
diff nobody
pause web
pause web
ps --filter name=web --format '{{.Status}}'
exec web true
unpause web
unpause web
kill -s HUP web
stop -t 0 web
stop web
kill web
start web
start nobody
restart -t 0 web db
rename web front
rename front db
rename nobody x
port front
port front 80
top nobody
wait nobody
rm front
rm -f front nobody
create --name made -i oracle:busybox cat
start made
wait first
rm made
rm -f made
container ls -a --format '{{.Names}} {{.State}}'
container prune -f --filter label=none
rm -f db first
ps -aq
"""


def steps() -> list[list[str]]:
    return [shlex.split(line) for line in STEPS.strip().split("\n")]


def plainly(text: str) -> str:
    """Without ids, times and the widths of columns."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "ID", text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "SHORT", text)
    ages = r"(Less than a second|About a minute|About an hour|\d+ (second|minute)s?)"
    text = re.sub(rf"{ages} ago", "AGO", text)
    text = re.sub(rf"Up {ages}", "Up", text)
    lines = [re.sub(r" {2,}", "  ", line).rstrip() for line in text.split("\n")]
    return "\n".join(lines)


@pytest.fixture
def engine(outer_namespaces: None) -> Iterator[DockerEngine]:
    del outer_namespaces
    reason = why_no_engine()
    if reason:
        pytest.skip(reason)
    with DockerEngine() as started:
        started.import_busybox(IMAGE)
        yield started


@pytest.fixture
def docker(orchestra: Orchestra, engine: DockerEngine) -> Iterator[Orchestra]:
    """Orchestra with the image that the engine has; its containers go at the end."""
    archive = os.path.join(orchestra.directory, "image.tar")
    engine.run(["docker", "save", "-o", archive, IMAGE])
    orchestra("image", "load", "-i", archive)
    yield orchestra
    found = orchestra("container", "ls", "-aq").out.split()
    if found:
        orchestra("container", "rm", "-f", *found)
    orchestra("network", "rm", "bridge", code=None)


def test_the_same_script_tells_the_same(engine: DockerEngine, docker: Orchestra) -> None:
    differences = []
    for step in steps():
        theirs = subprocess.run(
            ["docker", *step],
            env=engine.environ,
            input="typed\n",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        )
        ours = docker("docker", *step, code=None, stdin="typed\n")
        same_text = "-" in step[-1:] or plainly(ours.out) == plainly(theirs.stdout)
        same_errors = bool(ours.err) == bool(theirs.stderr)
        if ours.code != theirs.returncode or not same_text or not same_errors:
            differences.append(
                f"$ docker {' '.join(step)}\n{theirs.stdout}{theirs.stderr}[{theirs.returncode}]\n"
                f"--- orchestra\n{ours.out}{ours.err}[{ours.code}]"
            )
    assert not differences, "\n\n".join(differences)
