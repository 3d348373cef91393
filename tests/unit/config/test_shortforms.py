from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.config.document import read_documents
from orchestra.config.ports import long_ports
from orchestra.config.problems import Fault
from orchestra.config.rewrite import remove_duplicates, settle_values, to_long_syntax
from orchestra.config.tree import copy_tree, plain
from orchestra.config.volumes import long_volume
from orchestra.config.words import split_words


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("80", [("", None, 80, "tcp")]),
        ("80/udp", [("", None, 80, "udp")]),
        ("8080:80", [("", "8080", 80, "tcp")]),
        ("8080:80/UDP", [("", "8080", 80, "udp")]),
        ("127.0.0.1:8080:80", [("127.0.0.1", "8080", 80, "tcp")]),
        ("127.0.0.1::80", [("127.0.0.1", None, 80, "tcp")]),
        ("[::1]:8080:80", [("::1", "8080", 80, "tcp")]),
        ("8000-8010:80", [("", "8000-8010", 80, "tcp")]),
        ("9-10", [("", None, 10, "tcp"), ("", None, 9, "tcp")]),
        ("81-82:91-92", [("", "81", 91, "tcp"), ("", "82", 92, "tcp")]),
        ("0:80", [("", "0", 80, "tcp")]),
    ],
)
def test_short_ports(text: str, entries: list[tuple[str, str | None, int, str]]) -> None:
    assert [
        (port.get("host_ip", ""), port.get("published"), port["target"], port["protocol"])
        for port in long_ports(text)
    ] == entries


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("80800:80", '"80800:80" has no valid host port'),
        ("a", '"a" has no valid container port'),
        ("80:", "no valid container port"),
        ("0", "no valid container port"),
        ("10-9", "ends before it begins"),
        ("1-3:1-2", "differ in length"),
        ("80/sctpx", "is no protocol"),
        ("", "no valid container port"),
        ("²", "no valid container port"),
    ],
)
def test_ports_that_are_none(text: str, what: str) -> None:
    with pytest.raises(Fault, match=r".") as caught:
        long_ports(text)
    assert what in caught.value.what


@given(
    st.integers(1, 65535),
    st.integers(0, 65535),
    st.sampled_from(["", "127.0.0.1", "::1"]),
    st.sampled_from(["tcp", "udp"]),
)
def test_a_formatted_port_reads_back(target: int, host: int, address: str, protocol: str) -> None:
    shown = f"[{address}]:" if ":" in address else f"{address}:" if address else ""
    (port,) = long_ports(f"{shown}{host}:{target}/{protocol}")
    assert port.get("host_ip", "") == address
    assert (port["published"], port["target"], port["protocol"]) == (str(host), target, protocol)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/a", {"type": "volume", "target": "/a", "volume": {}}),
        ("v:/a", {"type": "volume", "source": "v", "target": "/a", "volume": {}}),
        ("v:/a/:ro", {"type": "volume", "source": "v", "target": "/a", "read_only": True,
                      "volume": {}}),
        ("v:/a:nocopy", {"type": "volume", "source": "v", "target": "/a",
                         "volume": {"nocopy": True}}),
        (".:/a", {"type": "bind", "source": ".", "target": "/a",
                  "bind": {"create_host_path": True}}),
        ("~/x:/a:rw,z", {"type": "bind", "source": "~/x", "target": "/a",
                         "bind": {"create_host_path": True, "selinux": "z"}}),
        ("/x:/a:ro,rshared", {"type": "bind", "source": "/x", "target": "/a", "read_only": True,
                              "bind": {"create_host_path": True, "propagation": "rshared"}}),
        ("C:\\x:/a", {"type": "bind", "source": "C:\\x", "target": "/a",
                      "bind": {"create_host_path": True}}),
        ("${D:-./x}:/a", {"type": "volume", "source": "${D:-./x}", "target": "/a", "volume": {}}),
    ],
)  # fmt: skip
def test_short_volumes(text: str, expected: dict[str, Any]) -> None:
    assert long_volume(text) == expected


@pytest.mark.parametrize("text", ["", ":/a", "a:", "a:b:c:d", "a::ro"])
def test_volumes_that_are_none(text: str) -> None:
    with pytest.raises(Fault):
        long_volume(text)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a b", ["a", "b"]),
        ("  a\tb\n", ["a", "b"]),
        ("'a b' \"c d\"", ["a b", "c d"]),
        ("a\\ b", ["a b"]),
        ('a "" b', ["a", "", "b"]),
        ("x='a'b", ["x=ab"]),
        ("'\\a'", ["\\a"]),
        ('"a\\"b"', ['a"b']),
    ],
)
def test_command_lines_are_split_as_a_shell_would(line: str, words: list[str]) -> None:
    assert split_words(line) == words


@pytest.mark.parametrize("line", ["'a", '"a', "a\\"])
def test_unfinished_command_lines_are_refused(line: str) -> None:
    with pytest.raises(Fault, match="the command lacks"):
        split_words(line)


EVERYTHING = """
services:
  web:
    build: {context: ., args: [A=1], ssh: [default], additional_contexts: [n=./x], labels: [a=b],
      secrets: [s], extra_hosts: ["h:1.1.1.1"], ulimits: {nofile: 1}, shm_size: 1m, sbom: true}
    command: a "b c"
    environment: [A=1, B]
    env_file: [a, {path: b, required: false}]
    label_file: l
    ports: [80, "81:81", {target: 82}]
    volumes: [/a, "v:/b", {type: tmpfs, target: /c, tmpfs: {size: 1k}}]
    networks: [n]
    depends_on: [db]
    models: [m]
    dns: 1.1.1.1
    dns_search: a
    tmpfs: /t
    devices: [/dev/x, "/dev/y:/dev/z:r"]
    gpus: all
    secrets: [s]
    configs: [{source: c, mode: "0440"}]
    extends: base
    healthcheck: {test: a, interval: 90s}
    mem_limit: 1g
    cpus: "0.5"
    stop_grace_period: 1m
    extra_hosts: {h: [1.1.1.1, "[::1]"]}
    deploy: {labels: [a=b], resources: {limits: {memory: 1m, cpus: "1"}}}
    develop: {watch: [{path: a, action: sync, target: /b, ignore: x}]}
volumes: {v: {external: {name: w}}}
"""


def test_rewriting_what_is_canonical_changes_nothing() -> None:
    (document,) = read_documents(EVERYTHING.encode(), "f.yaml")
    tree = copy_tree(document.tree)
    faults: list[str] = []
    for _ in range(2):
        before = plain(tree)
        to_long_syntax(tree, lambda _path, fault: faults.append(fault.what))
        remove_duplicates(tree)
        settle_values(tree, lambda _path, fault: faults.append(fault.what))
    assert plain(tree) == before
    assert faults == []
    assert plain(tree) != plain(document.tree)
