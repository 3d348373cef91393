"""The tree becomes a Project: what a planner will see."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import NotFound
from orchestra.model.container import (
    Device,
    Hook,
    LogConfig,
    PublishedPort,
    RestartMode,
    RestartPolicy,
    Ulimit,
)
from orchestra.model.network import IpamPool
from orchestra.model.service import (
    DependencyCondition,
    DependsOn,
    FileReference,
    PullPolicy,
    ServiceHealthCheck,
    ServiceNetwork,
    VolumeKind,
    VolumesFrom,
)

if TYPE_CHECKING:
    from orchestra.model.service import Service
    from tests.support.project import ProjectDirectory


def bound(project: ProjectDirectory, attributes: str, rest: str = "") -> Service:
    text = f"services:\n  web: {{image: a, {attributes}}}\n  db: {{image: d}}\n{rest}\n"
    return project.load(text).project.service("web")


def test_an_ordinary_service(project: ProjectDirectory) -> None:
    service = bound(
        project,
        "command: sh -c 'a b', entrypoint: [], user: '1:2', working_dir: /w, hostname: h, "
        "environment: {A: 1}, labels: {l: x}, restart: 'on-failure:3', init: true, tty: true, "
        "stop_grace_period: 1m30s, stop_signal: SIGINT, expose: [80, '53/udp']",
    )
    assert service.command == ("sh", "-c", "a b")
    assert service.entrypoint == ()
    assert service.environment == (("A", "1"),)
    assert service.labels == (("l", "x"),)
    assert service.restart == RestartPolicy(mode=RestartMode.ON_FAILURE, max_attempts=3)
    assert (service.user, service.working_dir, service.hostname) == ("1:2", "/w", "h")
    assert (service.init, service.tty, service.stop_grace_s) == (True, True, 90.0)
    assert service.expose == ("80/tcp", "53/udp")


def test_absent_and_empty_commands_differ(project: ProjectDirectory) -> None:
    assert bound(project, "user: x").command is None
    assert bound(project, "command: []").command == ()
    assert bound(project, "command: ''").command == ()


def test_ports_are_numbers(project: ProjectDirectory) -> None:
    ports = bound(project, "ports: ['127.0.0.1:8080:80/udp', '90', '8000-8005:70']").ports
    assert [port.port for port in ports] == [
        PublishedPort(
            container_port=80, protocol="udp", host_ip="127.0.0.1", host_port=8080,
            host_port_end=8080,
        ),
        PublishedPort(container_port=90),
        PublishedPort(container_port=70, host_port=8000, host_port_end=8005),
    ]  # fmt: skip


def test_volumes_of_each_kind(project: ProjectDirectory) -> None:
    volumes = bound(
        project,
        "volumes: ['./x:/x:ro,z', '/anon', 'data:/d:nocopy', "
        "{type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 0770}}, "
        "{type: bind, source: /s, target: /s, bind: {propagation: rshared}}, "
        "{type: volume, source: data, target: /p, volume: {subpath: p}}]",
        "volumes: {data: }",
    ).volumes
    bind, anonymous, named, tmpfs, long, sub = volumes
    assert (bind.kind, bind.source) == (VolumeKind.BIND, os.path.join(project.path, "x"))
    assert (bind.read_only, bind.selinux, bind.create_host_path) == (True, "z", True)
    assert (anonymous.kind, anonymous.source) == (VolumeKind.VOLUME, "")
    assert (named.source, named.no_copy) == ("data", True)
    assert (tmpfs.kind, tmpfs.tmpfs_bytes, tmpfs.tmpfs_mode) == (VolumeKind.TMPFS, 1 << 20, 0o770)
    assert long.propagation == "rshared"
    assert sub.subpath == "p"


def test_a_long_bind_without_options_does_not_create_its_source(
    project: ProjectDirectory,
) -> None:
    volumes = "volumes: [{type: bind, source: /s, target: /s}]"
    assert bound(project, volumes).volumes[0].create_host_path is False


def test_limits_of_deploy_are_the_effective_ones(project: ProjectDirectory) -> None:
    service = bound(
        project,
        "cpus: 0.5, mem_limit: 64m, memswap_limit: -1, pids_limit: 10, cpu_shares: 5, "
        "mem_swappiness: 0, device_cgroup_rules: ['c 1:3 mr'], "
        "blkio_config: {weight: 10, device_read_bps: [{path: /dev/x, rate: 1k}]}",
    ).resources
    assert (service.cpu_nanos, service.memory_bytes) == (500_000_000, 64 << 20)
    assert (service.memory_swap_bytes, service.pids, service.cpu_shares) == (-1, 10, 5)
    assert service.memory_swappiness == 0
    assert service.blkio_read_bps[0].rate == 1024
    deployed = bound(
        project,
        "deploy: {replicas: 2, resources: {limits: {cpus: '1.5', memory: 1g, pids: 5}, "
        "reservations: {memory: 1m, devices: [{capabilities: [gpu]}]}}, "
        "restart_policy: {condition: on-failure, max_attempts: 2, delay: 5s}}, restart: always",
    )
    assert deployed.resources.cpu_nanos == 1_500_000_000
    assert deployed.resources.memory_bytes == 1 << 30
    assert deployed.resources.memory_reservation_bytes == 1 << 20
    assert deployed.replicas == 2
    assert deployed.gpus[0].count == -1
    assert deployed.restart == RestartPolicy(
        mode=RestartMode.ON_FAILURE, max_attempts=2, delay_s=5.0
    )


def test_scale_and_replicas(project: ProjectDirectory) -> None:
    assert bound(project, "user: x").replicas == 1
    assert bound(project, "scale: 0").replicas == 0
    assert bound(project, "deploy: {replicas: 3}").replicas == 3


def test_networks_come_by_priority_and_default_is_implied(project: ProjectDirectory) -> None:
    assert bound(project, "user: x").networks == (ServiceNetwork(key="default"),)
    assert bound(project, "network_mode: none").networks == ()
    service = bound(
        project,
        "networks: {b: , a: {priority: 5, aliases: [x]}, c: {ipv4_address: 10.0.0.5}}",
        "networks: {a: , b: , c: }",
    )
    assert [network.key for network in service.networks] == ["a", "b", "c"]
    assert service.networks[0].aliases == ("x",)
    assert service.networks[2].ipv4_address == "10.0.0.5"


def test_declared_networks_have_their_full_names(project: ProjectDirectory) -> None:
    loaded = project.load(
        "services: {web: {image: a, networks: [own, named, ext]}}\n"
        "networks:\n"
        "  own: {internal: true, labels: [a=b], ipam: {config: [{subnet: 10.0.0.0/24}]}}\n"
        "  named: {name: n}\n"
        "  ext: {external: true}\n"
    ).project
    assert [network.name for network in loaded.networks] == ["ext", "n", "demo_own"]
    own = loaded.network("own")
    assert (own.driver, own.internal, own.labels) == ("bridge", True, (("a", "b"),))
    assert own.pools == (IpamPool(subnet="10.0.0.0/24"),)
    assert loaded.network("ext").external


def test_dependencies_said_and_implied(project: ProjectDirectory) -> None:
    service = bound(project, "depends_on: {db: {condition: service_healthy, restart: true}}")
    assert service.depends_on == (
        DependsOn(service="db", condition=DependencyCondition.HEALTHY, restart=True),
    )
    linked = bound(project, "links: ['db:database']")
    assert linked.links == (("db", "database"),)
    assert linked.depends_on[0].implied
    shared = bound(project, "volumes_from: ['db:ro'], network_mode: 'service:db'")
    assert shared.volumes_from == (VolumesFrom(service="db", read_only=True),)
    assert [edge.service for edge in shared.depends_on] == ["db"]


def test_healthchecks_keep_what_is_left_to_the_image(project: ProjectDirectory) -> None:
    assert bound(project, "healthcheck: {interval: 1m}").healthcheck == ServiceHealthCheck(
        interval_s=60.0
    )
    assert bound(project, "healthcheck: {test: 'a b'}").healthcheck == ServiceHealthCheck(
        test=("CMD-SHELL", "a b")
    )
    disabled = ServiceHealthCheck(disable=True)
    assert bound(project, "healthcheck: {disable: true}").healthcheck == disabled
    assert bound(project, "healthcheck: {test: [NONE]}").healthcheck == disabled


def test_secrets_and_configs_have_targets(project: ProjectDirectory) -> None:
    service = bound(
        project,
        "secrets: [s, {source: s, target: other, mode: '0400', uid: '5'}], configs: [c]",
        "secrets: {s: {file: ./s}}\nconfigs: {c: {content: hi}}",
    )
    assert service.secrets == (
        FileReference(source="s", target="/run/secrets/s"),
        FileReference(source="s", target="/run/secrets/other", uid=5, mode=0o400),
    )
    assert service.configs == (FileReference(source="c", target="/c"),)


def test_the_rest_of_a_service(project: ProjectDirectory) -> None:
    service = bound(
        project,
        "devices: [/dev/x, '/dev/y:/dev/z:r'], ulimits: {nofile: 5, core: {soft: 1, hard: 2}}, "
        "logging: {driver: local, options: {max-size: 1m}}, pull_policy: every_12h, "
        "extra_hosts: {h: [1.1.1.1, '::1']}, dns: 1.1.1.1, shm_size: 64m, "
        "post_start: [{command: a b, user: root}], sysctls: {a: 1}, cap_add: [X], "
        "privileged: true, x-note: {a: 1}, attach: false",
    )
    assert service.devices == (
        Device(source="/dev/x", target="/dev/x"),
        Device(source="/dev/y", target="/dev/z", permissions="r"),
    )
    assert service.ulimits == (
        Ulimit(name="core", soft=1, hard=2),
        Ulimit(name="nofile", soft=5, hard=5),
    )
    assert service.logging == LogConfig(driver="local", options=(("max-size", "1m"),))
    assert (service.pull_policy, service.pull_refresh_s) == (PullPolicy.REFRESH, 43200.0)
    assert service.extra_hosts == (("h", "1.1.1.1"), ("h", "::1"))
    assert service.dns.servers == ("1.1.1.1",)
    assert service.shm_bytes == 64 << 20
    assert service.post_start == (Hook(argv=("a", "b"), user="root"),)
    assert service.security.sysctls == (("a", "1"),)
    assert service.extensions == (("x-note", '{"a": 1}'),)
    assert not service.attach


# -- profiles and selection ---------------------------------------------------------------------
MANY = """
services:
  web: {image: a, depends_on: [db], networks: [n]}
  db: {image: d}
  tool: {image: t, profiles: [tools], volumes: ["data:/d"]}
  other: {image: o, profiles: [tools]}
networks: {n: , unused: }
volumes: {data: }
"""


def names(project: ProjectDirectory, **request: object) -> tuple[str, ...]:
    return project.load(MANY, **request).project.service_names


def test_profiles_enable_services(project: ProjectDirectory) -> None:
    assert names(project) == ("db", "web")
    assert names(project, profiles=("tools",)) == ("db", "other", "tool", "web")
    assert names(project, profiles=("*",)) == ("db", "other", "tool", "web")
    project.environ["COMPOSE_PROFILES"] = "none, tools"
    assert names(project) == ("db", "other", "tool", "web")


def test_a_named_service_comes_with_what_it_needs(project: ProjectDirectory) -> None:
    assert names(project, services=("web",)) == ("db", "web")
    assert names(project, services=("db",)) == ("db",)
    assert names(project, services=("tool",)) == ("tool",)


def test_an_unknown_service_is_told(project: ProjectDirectory) -> None:
    with pytest.raises(NotFound, match="no such service: webs") as caught:
        project.load(MANY, services=("webs",))
    assert caught.value.fix == 'did you mean "web"?'


def test_resources_that_no_service_uses_are_left_out(project: ProjectDirectory) -> None:
    loaded = project.load(MANY).project
    assert [network.key for network in loaded.networks] == ["default", "n"]
    assert loaded.volumes == ()
    everything = project.load(MANY, all_resources=True).project
    assert [network.key for network in everything.networks] == ["default", "n", "unused"]
    assert [volume.key for volume in everything.volumes] == ["data"]


def test_a_project_changes_by_copies(project: ProjectDirectory) -> None:
    loaded = project.load(MANY).project
    assert loaded.with_profiles(["tools"]).service_names == ("db", "other", "tool", "web")
    assert loaded.with_services(loaded.services[:1]).service_names == ("db",)
    assert loaded.service_names == ("db", "web")
    with pytest.raises(KeyError):
        loaded.service("nope")


def test_services_that_are_not_selected_are_kept_apart(project: ProjectDirectory) -> None:
    loaded = project.load(MANY, services=("tool",)).project
    assert loaded.service_names == ("tool",)
    assert [service.name for service in loaded.disabled_services] == ["db", "other", "web"]


def test_seccomp_profiles_are_below_the_project_directory(project: ProjectDirectory) -> None:
    service = bound(
        project, "security_opt: ['seccomp:./p.json', 'seccomp=unconfined', 'label:disable']"
    )
    assert service.security.options == (
        f"seccomp:{project.path}/p.json",
        "seccomp=unconfined",
        "label:disable",
    )
