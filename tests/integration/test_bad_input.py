"""Wrong input: one clear message, the right exit code, and nothing left behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import states, write_compose
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra, Result

pytestmark = [pytest.mark.root, pytest.mark.network]


def refused(orchestra: Orchestra, text: str, *, code: int) -> Result:
    """`up -d` of *text*, which must fail with *code* and leave nothing that `down` leaves."""
    write_compose(orchestra, text)
    return orchestra("up", "-d", code=code)


def test_a_directory_without_a_compose_file(orchestra: Orchestra) -> None:
    for command in (("ps",), ("up", "-d"), ("logs",), ("config",)):
        result = orchestra(*command, code=14)
        assert "no configuration file provided: not found" in result.err
        assert orchestra.directory in result.err


def test_broken_yaml(orchestra: Orchestra) -> None:
    result = refused(orchestra, "services:\n  web: [\n", code=15)
    assert "compose.yaml:" in result.err


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("services:\n  web:\n    imge: host\n", "3:5", 'did you mean "image"'),
        ("services:\n  web:\n    image: [1]\n", "3:12", "image"),
        ("services:\n  web:\n    image: ${IMAGE:?tell me}\n", "3:12", "tell me"),
        ("services:\n  web:\n    image: host\n    ports: ['80800:80']\n", "4:13", "80800"),
    ],
)
def test_a_wrong_value_is_shown_with_its_place(
    orchestra: Orchestra, text: str, place: str, words: str
) -> None:
    result = refused(orchestra, text, code=15)
    assert f"compose.yaml:{place}: " in result.err
    assert words in result.err


def test_a_cycle_is_told_as_the_path_that_closes_it(orchestra: Orchestra) -> None:
    result = refused(
        orchestra,
        """
        services:
          a: {image: host, depends_on: [b]}
          b: {image: host, depends_on: [c]}
          c: {image: host, depends_on: [a]}
        """,
        code=15,
    )
    assert "a -> b -> c -> a" in result.err.replace("→", "->")


def test_several_problems_are_told_at_once(orchestra: Orchestra) -> None:
    result = refused(
        orchestra, "services:\n  a: {imge: host}\n  b: {image: host, prts: []}\n", code=15
    )
    assert "imge" in result.err
    assert "prts" in result.err


def test_editors_get_the_problems_as_json(orchestra: Orchestra) -> None:
    path = write_compose(orchestra, "services:\n  web:\n    imge: host\n")
    answer = json.loads(orchestra("config", "--check", "--format", "json", code=15).out)
    (problem,) = answer["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == (path, 3, 5)
    write_compose(orchestra, "services: {web: {image: host}}\n")
    answer = json.loads(orchestra("config", "--check", "--format", "json").out)
    assert answer["problems"] == []
    assert orchestra("config", "--check").out == ""


def test_a_missing_image(orchestra: Orchestra) -> None:
    result = refused(orchestra, "services: {web: {image: 'nowhere/none:1'}}\n", code=18)
    assert "nowhere/none:1" in result.err
    assert "fix:" in result.err
    assert states(orchestra) == {}


def test_a_missing_bind_source_is_made_in_the_short_syntax(orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        """
        services:
          web: {image: host, command: [ls, /made], volumes: ["./made:/made"]}
        """,
    )
    orchestra("up", "-d")
    assert os.path.isdir(os.path.join(orchestra.directory, "made"))


def test_a_missing_bind_source_is_an_error_in_the_long_syntax(orchestra: Orchestra) -> None:
    result = refused(
        orchestra,
        """
        services:
          web:
            image: host
            command: [sleep, "60"]
            volumes: [{type: bind, source: ./absent, target: /x}]
        """,
        code=1,
    )
    assert "absent" in result.err
    assert "compose.yaml:5:14: bind source" in result.err
    assert not os.path.exists(os.path.join(orchestra.directory, "absent"))
    orchestra("down")
    assert states(orchestra) == {}


def test_a_port_in_use(orchestra: Orchestra) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("0.0.0.0", 8099))
        taken.listen()
        result = refused(
            orchestra,
            """
            services:
              web: {image: host, command: [sleep, "60"], ports: ["8099:80"]}
            """,
            code=1,
        )
    assert "8099" in result.err
    assert "compose.yaml:2:53: port" in result.err
    orchestra("down")
    assert states(orchestra) == {}


def test_a_command_that_is_not_in_the_image(orchestra: Orchestra) -> None:
    result = refused(
        orchestra, "services: {web: {image: host, command: [no-such-program]}}\n", code=1
    )
    assert "no-such-program" in result.err
    assert "compose.yaml:1:40: container" in result.err
    assert states(orchestra)[f"{os.path.basename(orchestra.directory)}-web-1"]["ExitCode"] == 127
    orchestra("down")
    assert states(orchestra) == {}


def test_a_namespace_of_a_container_that_has_ended(orchestra: Orchestra) -> None:
    result = refused(
        orchestra,
        """
        services:
          short: {image: host, command: ["true"]}
          web:
            image: host
            command: [sleep, "60"]
            network_mode: service:short
            depends_on: {short: {condition: service_completed_successfully}}
        """,
        code=1,
    )
    assert 'short-1 of service "short": it is not running' in result.err
    orchestra("down")
    assert states(orchestra) == {}


def test_an_unknown_service(orchestra: Orchestra) -> None:
    write_compose(orchestra, "services: {web: {image: host, command: [sleep, '60']}}\n")
    for command in (("up", "-d", "wbe"), ("logs", "wbe"), ("stop", "wbe"), ("exec", "wbe", "true")):
        assert 'no such service: "wbe"' in orchestra(*command, code=1).err


def test_exec_in_a_service_that_does_not_run(orchestra: Orchestra) -> None:
    write_compose(orchestra, "services: {web: {image: host, command: [sleep, '60']}}\n")
    result = orchestra("exec", "-T", "web", "true", code=1)
    assert 'service "web" is not running' in result.err


def test_without_privileges_it_says_so(orchestra: Orchestra) -> None:
    write_compose(orchestra, "services: {web: {image: host, command: [sleep, '60']}}\n")
    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    if subprocess.run([*nobody, "test", "-x", PROGRAM], check=False, timeout=10).returncode != 0:
        pytest.skip("needs an installation that other users may run")
    result = orchestra.through(nobody, "up", "-d", code=1)
    assert "root" in result.err
    assert "cannot read" in orchestra.through(nobody, "ps", code=1).err
    assert (
        "may not do so here\n  fix: run it as root"
        in orchestra.through(
            ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"), "up", "-d", code=1
        ).err
    )
    assert "Traceback" not in result.err
    assert "bug" not in result.err


def test_escape_sequences_in_names_do_not_reach_the_terminal(orchestra: Orchestra) -> None:
    result = refused(orchestra, 'services: {"we\\u001b[2Jb": {image: host}}\n', code=15)
    assert "\x1b" not in result.err
