"""`up` again, after the compose file or the command line has changed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import write_compose

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

COMPOSE = """
name: changes
services:
  web:
    image: host
    init: true
    command: [sleep, "{seconds}"]
    volumes: [/cache]
    ports: ["18080:80"]
    depends_on:
      once: {{condition: service_completed_successfully}}
  once:
    image: host
    command: [sh, -c, "echo once"]
networks:
  default:
    internal: {internal}
"""


def write(orchestra: Orchestra, *, seconds: int = 600, internal: str = "false") -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(COMPOSE.format(seconds=seconds, internal=internal))


@pytest.fixture
def up(orchestra: Orchestra) -> Orchestra:
    write(orchestra)
    orchestra("up", "-d")
    orchestra("exec", "-T", "web", "sh", "-c", "echo kept > /cache/file")
    return orchestra


def ids(orchestra: Orchestra) -> dict[str, str]:
    lines = orchestra("ps", "-a", "--no-trunc", "--format", "json").out.splitlines()
    return {found["Name"]: found["ID"] for found in map(json.loads, lines)}


def cached(orchestra: Orchestra) -> str:
    return orchestra("exec", "-T", "web", "cat", "/cache/file").out


def test_changed_command_recreates_on_the_same_port_with_the_same_volume(up: Orchestra) -> None:
    before = ids(up)
    write(up, seconds=601)
    up("up", "-d")
    after = ids(up)
    assert after.keys() == before.keys()
    assert after["changes-web-1"] != before["changes-web-1"]
    assert after["changes-once-1"] == before["changes-once-1"]
    assert cached(up) == "kept\n"
    assert up("port", "web", "80").out == "0.0.0.0:18080\n"


def test_renewed_anonymous_volumes_are_empty(up: Orchestra) -> None:
    up("up", "-d", "--force-recreate", "-V")
    up("exec", "-T", "web", "test", "!", "-e", "/cache/file")


def test_no_recreate_keeps_what_has_changed(up: Orchestra) -> None:
    before = ids(up)
    write(up, seconds=601)
    up("up", "-d", "--no-recreate")
    assert ids(up) == before


def test_changed_network_moves_everything_to_the_new_one(up: Orchestra) -> None:
    write(up, internal="true")
    up("up", "-d")
    assert cached(up) == "kept\n"
    assert up("explain").out.endswith("as the compose file says.\n")


def test_completed_service_runs_again_only_with_its_dependent(up: Orchestra) -> None:
    up("up", "-d")
    assert up("logs", "--no-log-prefix", "once").out == "once\n"
    up("up", "-d", "--force-recreate", "web")
    assert up("logs", "--no-log-prefix", "once").out == "once\nonce\n"


def test_orphan_is_named_and_removed_on_demand(up: Orchestra) -> None:
    with open(os.path.join(up.directory, "compose.yaml"), "w") as file:
        file.write("name: changes\nservices: {other: {image: host, command: [sleep, '600']}}")
    assert "Found orphan containers (changes-once-1, changes-web-1)" in up("up", "-d").err
    up("up", "-d", "--remove-orphans")
    assert list(ids(up)) == ["changes-other-1"]


def test_failure_of_one_service_leaves_the_others_up(orchestra: Orchestra) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(
            "name: changes\nservices:\n"
            "  bad: {image: host, command: [sh, -c, 'exit 3']}\n"
            "  good: {image: host, command: [sleep, '600']}\n"
            "  needy: {image: host, command: [sleep, '600'],"
            " depends_on: {bad: {condition: service_completed_successfully}}}\n"
        )
    result = orchestra("up", "-d", code=1)
    assert "changes-bad-1 did not complete successfully: exit status 3" in result.err
    lines = orchestra("ps", "-a", "--format", "{{.Service}} {{.State}}").out.splitlines()
    assert lines == ["bad exited", "good running", "needy created"]


def test_two_commands_at_once_wait_for_each_other(up: Orchestra) -> None:
    import subprocess

    from tests.support.scenario import PROGRAM

    commands = [
        subprocess.Popen(
            (PROGRAM, "up", "-d", "--force-recreate"),
            cwd=up.directory,
            env=up.env,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    errors = [command.communicate(timeout=60)[1] for command in commands]
    assert [command.returncode for command in commands] == [0, 0, 0], errors
    assert len(ids(up)) == 2


def test_scale_brings_a_service_to_a_number_of_containers(orchestra: Orchestra) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(
            "services:\n"
            "  web: {image: host, init: true, command: [sleep, '600'], depends_on: [db]}\n"
            "  db: {image: host, init: true, command: [sleep, '600']}\n"
        )

    def services() -> list[str]:
        return sorted(orchestra("ps", "--format", "{{.Service}}").out.split())

    orchestra("scale", "--no-deps", "web=2")
    assert services() == ["web", "web"]
    assert "DRY-RUN MODE" in orchestra("--dry-run", "scale", "web=1").err
    orchestra("scale", "web=1", "db=2")
    assert services() == ["db", "db", "web"]
    assert "invalid scale" in orchestra("scale", "web", code=1).err
    assert 'no such service: "nope"' in orchestra("scale", "nope=1", code=1).err


CONTENTS = """
name: contents
x-asleep: &asleep
  image: host
  network_mode: none
  command: [sleep, "600"]
  stop_grace_period: 0s
services:
  by-env: {<<: *asleep, env_file: [file.env]}
  by-config: {<<: *asleep, configs: [{source: c, target: /srv/c}]}
  by-secret: {<<: *asleep, secrets: [s]}
  plain: {<<: *asleep, environment: {A: "1"}}
configs: {c: {file: ./config}}
secrets: {s: {file: ./secret}}
"""


def test_changed_contents_recreate_their_users_and_nobody_else(orchestra: Orchestra) -> None:
    def put(name: str, text: str) -> None:
        with open(os.path.join(orchestra.directory, name), "w") as file:
            file.write(text)

    put("compose.yaml", CONTENTS)
    for name in ("file.env", "config", "secret"):
        put(name, "A=old\n")
    orchestra("up", "-d")
    before = ids(orchestra)
    for service, name in (("by-env", "file.env"), ("by-config", "config"), ("by-secret", "secret")):
        put(name, "A=new\n")
        explained = orchestra("explain").out
        assert f"recreate Container contents-{service}-1: configuration changed\n" in explained
        shown = {
            "by-env": '    environment.A: "old" is now "new"\n',
            "by-config": f"files./srv/c: {orchestra.directory}/config has been changed\n",
            "by-secret": f"files./run/secrets/s: {orchestra.directory}/secret has been changed\n",
        }
        assert shown[service] in explained
        warned = orchestra("restart", "-t", "0").err
        assert f'the configuration of service "{service}" has changed' in warned
        assert warned.count("has changed") == 1
        orchestra("up", "-d")
        after = ids(orchestra)
        changed = [key for key in after if after[key] != before[key]]
        assert changed == [f"contents-{service}-1"]
        before = after
    assert "has changed" not in orchestra("restart", "-t", "0").err
    put("compose.yaml", CONTENTS.replace('A: "1"', 'A: "2"'))
    assert '    environment.A: "1" is now "2"\n' in orchestra("explain", "plain").out
    assert "has changed" in orchestra("restart", "-t", "0", "plain").err


def test_moved_volumes_and_images_recreate(orchestra: Orchestra) -> None:
    compose = CONTENTS.partition("services:")[0] + (
        "services: {{a: {{<<: *asleep, volumes: ['{volume}:/srv']}}, b: {{<<: *asleep}}}}\n"
        "volumes: {{one: {{}}, two: {{}}}}\n"
    )
    path = os.path.join(orchestra.directory, "compose.yaml")
    with open(path, "w") as file:
        file.write(compose.format(volume="one"))
    orchestra("up", "-d")
    before = ids(orchestra)
    with open(path, "w") as file:
        file.write(compose.format(volume="two"))
    assert '"source":"contents_one"' in orchestra("explain").out
    orchestra("up", "-d")
    after = ids(orchestra)
    assert [key for key in after if after[key] != before[key]] == ["contents-a-1"]
    orchestra("up", "-d", "--force-recreate", "b")
    assert ids(orchestra)["contents-b-1"] != after["contents-b-1"]
    assert ids(orchestra)["contents-a-1"] == after["contents-a-1"]


CHAIN = """
name: chain
x-asleep: &asleep
  image: host
  network_mode: none
  command: [sleep, "600"]
  stop_grace_period: 0s
services:
  db: {<<: *asleep, environment: {A: "DB"}}
  api: {<<: *asleep, depends_on: [db], environment: {A: "API"}}
  web: {<<: *asleep, depends_on: [api]}
"""


@pytest.mark.parametrize(
    ("flags", "changed"),
    [
        ((), "api db"),
        (("api",), "api db"),
        (("--no-deps", "api"), "api"),
        (("--no-recreate",), ""),
        (("--always-recreate-deps", "web"), "api db"),
        (("--force-recreate", "--no-deps", "web"), "web"),
        (("--force-recreate",), "api db web"),
        (("--force-recreate", "web"), "api db web"),
        (("--force-recreate", "--always-recreate-deps", "web"), "api db web"),
    ],
    ids=" ".join,
)
def test_flags_choose_what_is_recreated(
    orchestra: Orchestra, flags: tuple[str, ...], changed: str
) -> None:
    """`db` and `api` have another environment than their containers."""
    path = os.path.join(orchestra.directory, "compose.yaml")
    with open(path, "w") as file:
        file.write(CHAIN)
    orchestra("up", "-d")
    before = ids(orchestra)
    with open(path, "w") as file:
        file.write(CHAIN.replace("DB", "new").replace("API", "new"))
    orchestra("up", "-d", *flags)
    after = ids(orchestra)
    found = sorted(name.split("-")[1] for name in after if after[name] != before[name])
    assert " ".join(found) == changed


def test_a_name_that_another_project_has_is_told_with_its_holder(orchestra: Orchestra) -> None:
    text = CHAIN.partition("services:")[0] + (
        "services: {one: {<<: *asleep, container_name: taken}, two: {<<: *asleep}}\n"
    )
    path = os.path.join(orchestra.directory, "compose.yaml")
    with open(path, "w") as file:
        file.write(text)
    orchestra("-p", "first", "up", "-d", "one")
    refused = orchestra("-p", "second", "up", "-d", "one", code=1)
    assert 'the container name "taken" is already in use by container' in refused.err
    assert 'of project "first"' in refused.err
    assert orchestra("-p", "second", "ps", "-aq").out == ""
    orchestra("-p", "first", "down")


def test_all_resources_are_made_and_go_again(orchestra: Orchestra) -> None:
    compose = """
name: demo
services: {web: {image: host, command: [sleep, "600"], init: true}}
networks: {spare: {}}
volumes: {idle: {}}
"""
    write_compose(orchestra, compose)
    orchestra("up", "-d")
    assert orchestra("volume", "ls", "-q").out == ""
    orchestra("--all-resources", "up", "-d", "web")
    assert orchestra("volume", "ls", "-q").out == "demo_idle\n"
    names = orchestra("network", "ls", "--format", "{{.Name}}").out.split()
    assert names == ["demo_default", "demo_spare"]
    assert orchestra("--all-resources", "up", "-d").err.count("Creat") == 0
    orchestra("down", "-v", "-t", "0")
    assert orchestra("network", "ls", "-q").out == orchestra("volume", "ls", "-q").out == ""
