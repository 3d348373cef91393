"""One case per rule: a service, and the beginning of what is said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.project import ProjectDirectory

HEAD = """\
volumes: {data: }
networks: {front: }
secrets: {token: {file: ./t}}
services:
  db: {image: d}
  off: {image: o, profiles: [extra]}
  web:
"""
"""What every case is preceded by; its own lines begin with line 8."""


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("    user: x", "7:3: services.web: neither image nor build says what to run"),
        (
            "    build: {dockerfile: a, dockerfile_inline: b}",
            "8:28: services.web.build.dockerfile_inline: dockerfile and dockerfile_inline exclude",
        ),
        (
            "    build: {platforms: [linux/arm64]}\n    platform: linux/amd64",
            "8:24: services.web.build.platforms: the service's own platform linux/amd64 is not",
        ),
        (
            "    build: {additional_contexts: {x: 'service:db'}}",
            '8:38: services.web.build.additional_contexts.x: service "db" has no build',
        ),
        (
            "    image: a\n    healthcheck: {test: [true-ish]}",
            '9:25: services.web.healthcheck.test: the list begins with "true-ish"',
        ),
        (
            "    image: a\n    depends_on: [dbb]",
            '9:18: services.web.depends_on.dbb: undefined service "dbb"; did you mean "db"?',
        ),
        (
            "    image: a\n    depends_on: [off]",
            '9:18: services.web.depends_on.off: service "off" is not enabled; its',
        ),
        (
            "    image: a\n    links: ['cache:c']",
            '9:13: services.web.links[0]: undefined service "cache"',
        ),
        (
            "    image: a\n    network_mode: service:cache",
            '9:19: services.web.network_mode: undefined service "cache"',
        ),
        (
            "    image: a\n    networks: [frnt]",
            '9:16: services.web.networks.frnt: undefined network "frnt"; did you mean "front"?',
        ),
        (
            "    image: a\n    volumes: ['dat:/x']",
            '9:15: services.web.volumes[0]: undefined volume "dat"; did you mean "data"?',
        ),
        (
            "    image: a\n    secrets: [tok]",
            '9:15: services.web.secrets[0]: undefined secret "tok"; did you mean "token"?',
        ),
        (
            "    image: a\n    configs: [{source: c}]",
            '9:15: services.web.configs[0]: undefined config "c"',
        ),
        (
            "    build: {secrets: [x]}",
            '8:23: services.web.build.secrets[0]: undefined secret "x"',
        ),
        ("    image: a\n    models: [m]", '9:14: services.web.models.m: undefined model "m"'),
        (
            "    image: a\n    network_mode: host\n    networks: [front]",
            "9:5: services.web.network_mode: network_mode and networks exclude each other",
        ),
        (
            "    image: a\n    mem_limit: 1g\n    deploy: {resources: {limits: {memory: 2g}}}",
            "9:5: services.web.mem_limit: differs from deploy.resources.limits.memory",
        ),
        (
            "    image: a\n    scale: 2\n    deploy: {replicas: 3}",
            "9:12: services.web.scale: 2 differs from deploy.replicas, which is 3",
        ),
        (
            "    image: a\n    scale: 2\n    container_name: one",
            "10:5: services.web.container_name: 2 containers cannot share one name",
        ),
        ("    image: a\n    scale: -1", "9:12: services.web.scale: must be 0 or more, found -1"),
        (
            "    image: a\n    tmpfs: /x\n    volumes: ['data:/x']",
            "10:15: services.web.volumes[0]: /x is already the target of tmpfs[0]",
        ),
        (
            "    image: a\n    develop: {watch: [{path: ., action: sync}]}",
            "9:23: services.web.develop.watch[0]: action sync needs a target",
        ),
        (
            "    image: a\n    gpus: [{count: 1, device_ids: ['0']}]",
            "9:12: services.web.gpus[0]: count and device_ids exclude each other",
        ),
        (
            "    image: a\n    ports: ['1.2.3:80:80']",
            '9:13: services.web.ports[0]: "1.2.3" is no IP address',
        ),
        (
            "    image: a\n    networks: {front: {ipv4_address: x}}",
            '9:38: services.web.networks.front.ipv4_address: "x" is no IP address',
        ),
        (
            "    image: a\n    ports: ['80800:80']",
            '9:13: services.web.ports[0]: "80800:80" has no valid host port',
        ),
        (
            "    image: a\n    ports: [{target: 99999}]",
            "9:22: services.web.ports[0].target: 99999 is no container port",
        ),
        (
            "    image: a\n    restart: sometimes",
            '9:14: services.web.restart: "sometimes" is no restart policy',
        ),
        (
            "    image: a\n    mem_limit: lots",
            '9:16: services.web.mem_limit: "lots" is not a size',
        ),
        (
            "    image: a\n    stop_grace_period: soon",
            '9:24: services.web.stop_grace_period: "soon" is not a duration',
        ),
        ("    image: a\n    command: \"a 'b\"", "9:14: services.web.command: the command lacks"),
        (
            "    image: a\n    volumes: [{type: bind, target: /x}]",
            "9:15: services.web.volumes[0]: source is missing",
        ),
        (
            "    image: a\n    extra_hosts: [h]",
            '9:19: services.web.extra_hosts[0]: "h" has no address',
        ),
    ],
)  # fmt: skip
def test_service_rules(project: ProjectDirectory, lines: str, message: str) -> None:
    (problem,) = project.problems(HEAD + lines + "\n")
    assert problem.startswith(f"compose.yaml:{message}")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "volumes:\n  v: {external: true, driver: x}",
            "3:23: volumes.v.driver: driver and external exclude each other",
        ),
        (
            "secrets:\n  s: {file: a, environment: b}",
            "3:16: secrets.s.environment: file and environment exclude each other",
        ),
        ("secrets:\n  s: {name: x}", "3:3: secrets.s: one of file, environment must be set"),
        ("configs:\n  c:\n    name: x", "3:3: configs.c: one of file, environment, content must"),
        (
            "networks:\n  n: {ipam: {config: [{subnet: here}]}}",
            '3:32: networks.n.ipam.config[0].subnet: "here" is no subnet',
        ),
        (
            "networks:\n  n: {name: a, external: {name: b}}",
            "3:33: networks.n.external.name: name and external.name differ",
        ),
    ],
)
def test_project_rules(project: ProjectDirectory, lines: str, message: str) -> None:
    (problem,) = project.problems(f"services: {{web: {{image: a}}}}\n{lines}\n")
    assert problem.startswith(f"compose.yaml:{message}")


def test_all_problems_come_together_in_the_files_order(project: ProjectDirectory) -> None:
    problems = project.problems(
        "services:\n"
        "  web:\n    networks: [nope]\n    depends_on: [nope]\n"
        "  api:\n    user: x\n"
    )  # fmt: skip
    assert [problem.split(": ")[0] for problem in problems] == [
        "compose.yaml:2:3",
        "compose.yaml:3:16",
        "compose.yaml:4:18",
        "compose.yaml:5:3",
    ]


def test_an_optional_dependency_may_be_disabled(project: ProjectDirectory) -> None:
    loaded = project.load(
        "services:\n  web: {image: a, depends_on: {off: {condition: service_started, "
        "required: false}}}\n  off: {image: o, profiles: [extra]}\n"
    )
    assert loaded.project.services[0].depends_on == ()


def test_consistency_may_be_left_unchecked(project: ProjectDirectory) -> None:
    text = "services: {web: {image: a, networks: [nope]}}"
    assert project.load(text, check_consistency=False).project.service_names == ("web",)


def test_services_that_wait_for_each_other_are_refused(project: ProjectDirectory) -> None:
    (problem,) = project.problems(
        "services: {a: {image: a, depends_on: [b]}, b: {image: b, links: [a]}}"
    )
    assert "services wait for each other in a circle: a → b → a" in problem


def test_one_load_finds_faults_of_every_pass(project: ProjectDirectory) -> None:
    problems = project.problems(
        "services:\n"
        "  web:\n"
        "    imge: a\n"
        "    user: ${MUST?}\n"
        "    ports: ['x:80']\n"
        "    mem_limit: lots\n"
        "    tty: [a]\n"
        "  api:\n"
        "    image: a\n"
        "    depends_on: [wbe]\n"
    )
    assert [problem.split(":")[1] for problem in problems] == ["3", "4", "5", "6", "7", "10"]


def test_what_follows_from_a_reported_fault_is_not_reported(project: ProjectDirectory) -> None:
    problems = project.problems(
        "services:\n"
        "  web: {image: [a], networks: [n], depends_on: [db]}\n"
        "  db: [x]\n"
        "network: {n: }\n"
    )
    assert [problem.split(":")[1] for problem in problems] == ["2", "3", "4"]


def test_every_wrong_port_of_a_list_is_told(project: ProjectDirectory) -> None:
    problems = project.problems("services: {web: {image: a, ports: ['80:x', '80', 'y:80']}}")
    assert [problem.split(": ")[1] for problem in problems] == [
        "services.web.ports[0]",
        "services.web.ports[2]",
    ]
