"""What commands print, and what they leave: the same scripts by Docker Compose and by orchestra.

As `test_commands_oracle`; here it is the columns, templates and filters of each listing command,
the COMPOSE_… variables, and after each script the containers, networks and volumes there are.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.support.oracle import BESIDE_DOCKER_COMPOSE, COMPOSE_PROGRAM, IMAGE, Peer, story
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.docker_engine import DockerEngine
    from tests.support.oracle import Told
    from tests.support.scenario import Orchestra

pytestmark = BESIDE_DOCKER_COMPOSE

COMPOSE = """
name: demo
services:
  web:
    image: {image}
    init: true
    command: [sh, -c, "echo hello; exec sleep 600"]
    ports: ["18080:80", "127.0.0.1:18081:81/udp"]
    volumes: ["data:/data"]
    labels: {{a.b: "c"}}
    networks: [default, back]
  db:
    image: {image}
    init: true
    scale: 2
    environment: {{GREETING: hi}}
    command: [sleep, "600"]
  once:
    image: {image}
    command: [sh, -c, "exit 3"]
  slow:
    image: {image}
    scale: 0
    command: [sh, -c, "sleep 2; exit 4"]
  tool:
    image: {image}
    profiles: [extra]
    command: [sleep, "600"]
networks: {{back: {{}}, spare: {{}}}}
volumes: {{data: {{}}, idle: {{}}}}
"""

SCRIPTS = {
    "ps": """
        up -d
        exec -T web sleep 1
        ps --format table
        ps -a --format table
        ps -a --format 'table {{.Name}}\\t{{.Service}}\\t{{.State}}'
        ps --format '{{.Name}} {{.Image}} {{.Command}} {{.Status}}'
        ps --no-trunc --format '{{.Name}} {{.Command}}'
        ps --format '{{.Name}} {{.Ports}}'
        ps --format '{{.Name}} {{.Networks}}' db
        ps --format '{{.RunningFor}}' web
        ps --format '{{.Project}} {{.Health}} {{.ExitCode}}' web
        ps --format '{{json .Name}}' web
        ps --format '{{upper .Name}} {{len .Name}}' web
        ps --format '{{if eq .State "running"}}up{{else}}down{{end}}' -a
        ps --format '{{.NoSuch}}'
        ps --format '{{'
        ps -q web
        ps -q nosuch
        ps -aq once
        ps --services
        ps -a --services
        ps --filter status=running --services
        ps --filter status=exited -a --format '{{.Name}}'
        ps --status exited --format '{{.Name}}'
        ps --status paused
        ps --status nosuch
        ps --filter nosuch=1
        ps --filter nosuch
        ps --orphans=false --format '{{.Name}}'
        ps --format json web
        ps --format nosuch
    """,
    "images": """
        up -d
        images
        images web
        images --format json
        images -q
        images --format nosuch
    """,
    "ls": """
        ls
        up -d
        ls
        ls --all
        ls --format json
        ls --format table
        ls -q
        ls --filter name=dem
        ls --filter name=nosuch
        ls --filter nosuch=1
        stop
        ls
        ls -a
        ls -aq
    """,
    "top": """
        up -d web
        top nosuch -x
    """,
    "port": """
        up -d
        port web 80
        port web 81
        port web 81 --protocol udp
        port --index 1 web 80
        port --index 3 web 80
        port db 80
        port nosuch 80
        port web
        port web x
    """,
    "logs": """
        up -d
        exec -T web sleep 1
        logs web
        logs --no-log-prefix web
        logs -n 0 web
        logs --tail all web
        logs --no-color web
        logs -t web
        logs --since 1h web
        logs --until 1h web
        logs --since nonsense web
        logs --index 1 web
        logs --index 7 web
        logs once
    """,
    "config": """
        config --services
        config --volumes
        config --images
        config --profiles
        config --hash '*'
        config -q
        config --format json -q
        config --no-interpolate -q
        config nosuch
        config --services web
        --profile extra config --services
        --profile '*' config --services
        config --format nosuch
    """,
    "run": """
        run --rm -T web echo hi
        run --rm -T --no-deps -e A=b web sh -c 'echo $A'
        run --rm -T -w /tmp web pwd
        run --rm -T -u 1000:1000 web id -u
        run --rm -T --entrypoint echo web a b
        run --rm -T -l x=y web true
        run --rm -T web sh -c 'exit 9'
        run --rm -T web /nosuch
        run --rm -T nosuch
        run -d --name solo db
        ps -a --format '{{.Name}} {{.Service}} {{.State}}'
        run --rm -T -v extra:/x web touch /x/file
        run --rm -T -v extra:/x db ls /x
        run --rm -T --use-aliases web true
        run --rm -T -P web true
        run
        down -v --remove-orphans
    """,
    "exec": """
        up -d web db
        exec -T web echo hi
        exec -T -e A=b web sh -c 'echo $A'
        exec -T -w /tmp web pwd
        exec -T -u 1000:1000 web id -u
        exec -T web sh -c 'exit 9'
        exec -T --index 2 db true
        exec -T --index 3 db true
        exec -T tool true
        exec -T nosuch true
        exec -d web true
        exec web
    """,
    "life": """
        create
        ps -a --format '{{.Name}} {{.State}}'
        start web
        up -d --no-recreate
        up -d --force-recreate web
        up -d --no-start
        scale db=3
        scale db=1
        scale db=x
        scale nosuch=1
        scale db
        up -d --scale db=2 --no-deps web
        up -d --scale nosuch=2
        restart nosuch
        restart -t 1 web
        pause web
        pause nosuch
        unpause web
        kill -s NOSUCH web
        kill -s KILL web
        stop -t 1 db
        rm -f
        rm -fsv web
        up -d --no-deps --scale slow=1 slow
        wait slow
        wait nosuch
        start
        down --rmi nosuch
        down db
        down -t 1 -v
    """,
    "compatibility": """
        --compatibility up -d
        --compatibility ps -a --format '{{.Name}}'
        --compatibility logs web
        --compatibility run -d --name solo db
        --compatibility run --rm -T web true
        ps -a --format '{{.Name}}'
        --compatibility up -d --scale db=1
        --compatibility down -t 1
    """,
    "profiles": """
        up -d
        --profile extra up -d
        ps --services
        --profile extra stop tool
        stop tool
        --profile nosuch ps --services
        up -d tool
        down
        --profile extra down -v
    """,
    "dry run": """
        --dry-run up -d
        up -d
        --dry-run up -d --force-recreate
        --dry-run restart web
        --dry-run pause web
        --dry-run down -v
        --dry-run scale db=3
    """,
    "wrong": """
        nosuch
        up --nosuch
        -f nosuch.yaml ps
        -f nosuch.yaml up -d
        --project-directory /nosuch ps
        -p Wrong_Name up -d
        -p '' up -d
        --progress nosuch ps
        --parallel x ps
        --nosuch ps
        -p Wrong_Name ps
        up -d nosuch
        up --attach-dependencies -d
        up --no-start --abort-on-container-exit
        up -d --force-recreate --no-recreate
        up -d --pull nosuch
        rm nosuch
        stop nosuch
        kill nosuch
        down nosuch
        build
        pull --nosuch
        cp
        cp web:/etc/passwd
        cp a b
        cp web:/a db:/b
        attach
        attach nosuch
        config --hash nosuch
        create nosuch
    """,
    "stats": """
        up -d web
        stats --no-stream --format '{{.Name}} {{.PIDs}}'
        stats --no-stream --format json
        stats --no-stream --format 'table {{.Name}}'
        stats -a --no-stream --format '{{.Name}}'
    """,
}

EXTRA = """
services:
  more:
    image: {image}
    command: [sleep, "${{SECONDS_OF_SLEEP:-600}}"]
"""

IN_AN_ENVIRONMENT = """
COMPOSE_PROJECT_NAME=other up -d --scale db=1 db
COMPOSE_PROJECT_NAME=other ps --format '{{.Name}} {{.Project}}'
COMPOSE_PROJECT_NAME=other ls -q
COMPOSE_PROJECT_NAME=other down -v -t 0
COMPOSE_PROJECT_NAME=Wrong_Name config -q
COMPOSE_FILE=compose.yaml:extra.yaml config --services
COMPOSE_FILE=compose.yaml,extra.yaml COMPOSE_PATH_SEPARATOR=, config --services
COMPOSE_FILE=nosuch.yaml -f extra.yaml config --services
COMPOSE_PROFILES=extra config --services
COMPOSE_PROFILES=nosuch,extra config --services
COMPOSE_PROFILES=* config --services
COMPOSE_PROFILES=extra --profile nosuch config --services
COMPOSE_ENV_FILES=my.env config --services
COMPOSE_ENV_FILES=nosuch.env --env-file my.env config --services
COMPOSE_PARALLEL_LIMIT=x ps -q
COMPOSE_PARALLEL_LIMIT=1 up -d web
COMPOSE_ANSI=never ps --format '{{.Name}}'
COMPOSE_FILE=extra.yaml COMPOSE_IGNORE_ORPHANS=1 up -d
COMPOSE_FILE=extra.yaml ps -a --format '{{.Name}}'
COMPOSE_FILE=extra.yaml COMPOSE_REMOVE_ORPHANS=1 COMPOSE_IGNORE_ORPHANS=1 up -d --remove-orphans
COMPOSE_FILE=extra.yaml COMPOSE_REMOVE_ORPHANS=1 up -d
COMPOSE_FILE=extra.yaml ps -a --format '{{.Name}}'
COMPOSE_FILE=extra.yaml down -t 0
COMPOSE_COMPATIBILITY=1 up -d --scale db=1 db web
ps -a --format '{{.Name}}'
COMPOSE_COMPATIBILITY=true down -t 0
"""

IN_AN_ENV_FILE = """
COMPOSE_PARALLEL_LIMIT=x ps -q
COMPOSE_PARALLEL_LIMIT=x --parallel 3 ps -q
COMPOSE_PARALLEL_LIMIT=x -p other ps -q
COMPOSE_PARALLEL_LIMIT= ps -q
COMPOSE_PARALLEL_LIMIT=x --env-file my.env ps -q
COMPOSE_PARALLEL_LIMIT=x --project-directory / ps -q
COMPOSE_ANSI=always --progress plain ps -q
COMPOSE_ANSI=never --progress tty ps -q
COMPOSE_ANSI=always logs web
COMPOSE_PROGRESS=nosuch ps -q
COMPOSE_REMOVE_ORPHANS=1 -f extra.yaml up -d
COMPOSE_REMOVE_ORPHANS=1 -f extra.yaml ps -a --format '{{.Name}}'
COMPOSE_REMOVE_ORPHANS=1 -f extra.yaml down -t 0
COMPOSE_IGNORE_ORPHANS=1 -f extra.yaml up -d --remove-orphans
COMPOSE_IGNORE_ORPHANS=1 -f extra.yaml up -d
NONE= down -t 0 --remove-orphans
"""
"""Steps, each with the one line of its `.env`."""

ONLY_CODE = {
    "nosuch": "what is told of an unknown command differs, and is compared in the unit tests",
}
"""First words of steps, or whole steps, of which only the exit code is compared, and why."""


@pytest.fixture
def docker(docker_engine: DockerEngine, tmp_path: os.PathLike[str]) -> Iterator[Peer]:
    cli = ("docker",)
    left_by = (
        (*cli, "ps", "-a", "--format", "{{.Names}} {{.State}}"),
        (*cli, "network", "ls", "--format", "{{.Name}}"),
        (*cli, "volume", "ls", "-q"),
    )
    directory = os.path.join(tmp_path, "demo")
    peer = Peer((COMPOSE_PROGRAM,), docker_engine.environ, directory, IMAGE, left_by)
    yield peer
    peer.write(COMPOSE)
    peer.run(("down", "-v", "-t", "0", "--remove-orphans"))
    for name in docker_engine.run(("docker", "volume", "ls", "-q")).split():
        docker_engine.run(("docker", "volume", "rm", name))


@pytest.fixture
def ours(docker_engine: DockerEngine, orchestra: Orchestra) -> Peer:
    orchestra("image", "import", "-c", 'CMD ["sh"]', f"{docker_engine.root}/busybox.tar", IMAGE)
    left_by = (
        (PROGRAM, "-p", "demo", "ps", "-a", "--format", "{{.Name}} {{.State}}"),
        (PROGRAM, "network", "ls", "--format", "{{.Name}}"),
        (PROGRAM, "volume", "ls", "-q"),
    )
    directory = os.path.join(orchestra.directory, "demo")
    return Peer((PROGRAM,), orchestra.env, directory, IMAGE, left_by)


def steps_of(script: str) -> list[tuple[str, ...]]:
    return [tuple(shlex.split(line)) for line in script.splitlines() if line.strip()]


def told_otherwise(step: Iterable[str], *told: Told) -> list[str]:
    """The story of *step*, if the two have told something else, in whatever order."""
    theirs, mine = (each._replace(steps=(), out=sorted(map(str, each.out))) for each in told)
    return [] if theirs == mine else [story(step, theirs, mine)]


def test_the_variables_mean_the_same(docker: Peer, ours: Peer) -> None:
    differing = []
    for peer in (docker, ours):
        peer.write(COMPOSE)
        peer.write(EXTRA, "extra.yaml")
        peer.write("COMPOSE_PROFILES=extra\n", "my.env")
    for words in steps_of(IN_AN_ENVIRONMENT):
        count = next(index for index, word in enumerate(words) if not word.startswith("COMPOSE_"))
        env = dict(word.split("=", 1) for word in words[:count])
        differing += told_otherwise(
            words, docker.run(words[count:], env), ours.run(words[count:], env)
        )
    assert docker.left() == ours.left()
    assert not differing, "\n".join(differing)


def test_the_variables_of_an_env_file_mean_the_same(docker: Peer, ours: Peer) -> None:
    differing = []
    for peer in (docker, ours):
        peer.write(COMPOSE)
        peer.write(EXTRA, "extra.yaml")
        peer.write("NONE=\n", "my.env")
        peer.run(("up", "-d", "web"))
    for line, *words in steps_of(IN_AN_ENV_FILE):
        for peer in (docker, ours):
            peer.write(f"{line}\n", ".env")
        differing += told_otherwise([line, *words], docker.run(words), ours.run(words))
    assert docker.left() == ours.left()
    assert not differing, "\n".join(differing)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_same_scripts_tell_and_leave_the_same(docker: Peer, ours: Peer, name: str) -> None:
    docker.write(COMPOSE)
    ours.write(COMPOSE)
    differing = []
    for step in steps_of(SCRIPTS[name]):
        theirs, mine = docker.run(step)._replace(steps=()), ours.run(step)._replace(steps=())
        if " ".join(step) in ONLY_CODE:
            theirs, mine = theirs._replace(out=[]), mine._replace(out=[])
        if "--services" in step:  # Docker Compose has them in any order
            theirs, mine = (
                each._replace(out=sorted(map(str, each.out))) for each in (theirs, mine)
            )
        if theirs != mine:
            differing.append(story(step, theirs, mine))
    theirs_left, ours_left = docker.left(), ours.left()
    if theirs_left != ours_left:
        differing.append(story(("left",), theirs_left, ours_left))
    assert not differing, "\n".join(differing)
