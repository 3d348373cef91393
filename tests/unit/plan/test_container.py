"""How a service and its image become a container, as Docker merges them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.errors import ConfigError, NotFound, Unsupported
from orchestra.model import labels
from orchestra.model.container import ContainerId, HealthCheck, MountKind, NetworkMode
from orchestra.model.project import DeclaredFile
from orchestra.model.service import (
    FileReference,
    Service,
    ServiceHealthCheck,
    ServiceNetwork,
    ServiceVolume,
    VolumeKind,
)
from orchestra.plan.container import Identity, container_spec, linked_names
from orchestra.plan.mounts import Volumes
from orchestra.plan.networking import Peers
from tests.unit.plan.projects import image, needs, port, project, service, volume

if TYPE_CHECKING:
    from orchestra.model.container import ContainerSpec, Mount
    from orchestra.model.image import ImageConfig
    from orchestra.model.project import Project


def spec_of(
    wanted: Service,
    base: ImageConfig | None = None,
    *,
    whole: Project | None = None,
    inherited: dict[str, str] | None = None,
    borrowed: tuple[Mount, ...] = (),
    oneoff: bool = False,
    images: dict[str, ImageConfig] | None = None,
) -> ContainerSpec:
    return container_spec(
        whole or project(wanted),
        wanted,
        base or image(),
        Identity(
            id=ContainerId("1"),
            name="demo-web-1",
            number=1,
            config_hash="h",
            oneoff=oneoff,
            aliases=("web",),
        ),
        peers=Peers({"db": "db-id"}, {"outsider": "outsider-id"}),
        volumes=Volumes(lambda: "fresh", inherited or {}, borrowed, images or {}),
    )


ENTRY = {"entrypoint": ("/entry",), "command": ("run", "it")}


@pytest.mark.parametrize(
    ("entrypoint", "command", "argv"),
    [
        (None, None, ("/entry", "run", "it")),
        (None, ("mine",), ("/entry", "mine")),
        (("/own",), None, ("/own",)),
        (("/own",), ("mine",), ("/own", "mine")),
        ((), None, ("run", "it")),
        ((), ("mine",), ("mine",)),
        (("",), ("mine",), ("mine",)),
        (None, (), ("/entry", "run", "it")),
    ],
)
def test_own_entrypoint_drops_the_command_of_the_image(
    entrypoint: tuple[str, ...] | None, command: tuple[str, ...] | None, argv: tuple[str, ...]
) -> None:
    wanted = service("web", entrypoint=entrypoint, command=command)
    assert spec_of(wanted, image(**ENTRY)).process.argv == argv


def test_no_command_anywhere_is_an_error_with_the_service() -> None:
    with pytest.raises(ConfigError, match='service "web": no command'):
        spec_of(service("web", command=None))


def test_environment_overrides_the_image_and_null_removes() -> None:
    base = image(env=(("PATH", "/bin"), ("A", "1"), ("B", "2")))
    wanted = service("web", environment=(("A", "mine"), ("B", None), ("C", "")))
    assert spec_of(wanted, base).process.env == (("PATH", "/bin"), ("A", "mine"), ("C", ""))


def test_user_directory_and_stop_signal_come_from_the_image() -> None:
    spec = spec_of(service("web"), image(user="app", cwd="/srv", stop_signal="SIGQUIT"))
    assert (spec.process.user, spec.process.cwd, spec.stop_signal) == ("app", "/srv", "SIGQUIT")
    spec = spec_of(service("web"))
    assert (spec.process.user, spec.process.cwd, spec.stop_signal) == ("", "/", "SIGTERM")


def test_labels_of_docker_compose_win_over_all_others() -> None:
    wanted = service(
        "web",
        labels=(("a", "service"), (labels.PROJECT, "x")),
        depends_on=(needs("db", "healthy"),),
    )
    merged = dict(spec_of(wanted, image(labels=(("a", "image"), ("b", "image")))).labels)
    assert merged == {
        "a": "service",
        "b": "image",
        labels.PROJECT: "demo",
        labels.SERVICE: "web",
        labels.ONEOFF: "False",
        labels.CONTAINER_NUMBER: "1",
        labels.CONFIG_HASH: "h",
        labels.CONFIG_FILES: "/srv/demo/compose.yaml",
        labels.WORKING_DIR: "/srv/demo",
        labels.DEPENDS_ON: "db:service_healthy:false",
        labels.IMAGE: "sha256:app",
    }


def test_oneoff_container_has_no_number() -> None:
    merged = dict(spec_of(service("web"), oneoff=True).labels)
    assert merged[labels.ONEOFF] == "True"
    assert labels.CONTAINER_NUMBER not in merged


IMAGE_CHECK = HealthCheck(test=("CMD", "image"), interval_s=7.0, retries=9)


@pytest.mark.parametrize(
    ("wanted", "result"),
    [
        (None, IMAGE_CHECK),
        (ServiceHealthCheck(disable=True), None),
        (ServiceHealthCheck(test=("NONE",)), None),
        (
            ServiceHealthCheck(retries=2),
            HealthCheck(test=("CMD", "image"), interval_s=7.0, retries=2),
        ),
        (
            ServiceHealthCheck(test=("CMD", "own"), interval_s=1.0),
            HealthCheck(test=("CMD", "own"), interval_s=1.0, retries=9),
        ),
    ],
)
def test_healthcheck_takes_what_is_left_open_from_the_image(
    wanted: ServiceHealthCheck | None, result: HealthCheck | None
) -> None:
    base = image(healthcheck=IMAGE_CHECK)
    assert spec_of(service("web", healthcheck=wanted), base).healthcheck == result


def test_healthcheck_without_any_test_is_none() -> None:
    assert spec_of(service("web", healthcheck=ServiceHealthCheck(retries=2))).healthcheck is None


def test_image_volume_is_anonymous_unless_something_is_mounted_there() -> None:
    base = image(volumes=("/var/lib/db/", "/cache"))
    spec = spec_of(service("web", volumes=(volume("/cache", "data"),)), base)
    mounts = {mount.target: mount for mount in spec.mounts}
    assert mounts["/var/lib/db"].anonymous
    assert mounts["/var/lib/db"].source == "fresh"
    assert (mounts["/cache"].source, mounts["/cache"].anonymous) == ("demo_data", False)


def test_anonymous_volume_over_a_directory_of_a_bind_mount_comes_after_it() -> None:
    bind = ServiceVolume(kind=VolumeKind.BIND, target="/app", source="/srv/demo")
    spec = spec_of(service("web", volumes=(volume("/app/node_modules"), bind)))
    assert [mount.target for mount in spec.mounts] == ["/app", "/app/node_modules"]
    assert spec.mounts[0].create_source


def test_inherited_volume_is_taken_over_by_its_target() -> None:
    spec = spec_of(service("web", volumes=(volume("/d"),)), inherited={"/d": "old"})
    assert spec.mounts[0].source == "old"


def test_own_mount_covers_one_of_volumes_from() -> None:
    borrowed = spec_of(service("db", volumes=(volume("/d", "data"), volume("/e")))).mounts
    spec = spec_of(service("web", volumes=(volume("/d"),)), borrowed=borrowed)
    assert {m.target: m.anonymous for m in spec.mounts} == {"/d": True, "/e": True}


def test_tmpfs_keeps_its_options() -> None:
    spec = spec_of(service("web", tmpfs=("/run:size=64m,mode=1777", "/tmp")))
    assert [(m.kind, m.target, m.options) for m in spec.mounts] == [
        (MountKind.TMPFS, "/run", "size=64m,mode=1777"),
        (MountKind.TMPFS, "/tmp", ""),
    ]


def test_a_mounted_image_is_named_by_its_id() -> None:
    volume = ServiceVolume(kind=VolumeKind.IMAGE, target="/i/", source="tools", subpath="bin")
    (mount,) = spec_of(service("web", volumes=(volume,)), images={"tools": image()}).mounts
    assert (mount.kind, mount.target, mount.source) == (MountKind.IMAGE, "/i", image().id)
    assert mount.subpath == "bin"


def test_a_mount_of_another_system_is_refused_by_name() -> None:
    mount = ServiceVolume(kind=VolumeKind.NPIPE, target="/i", source="pipe")
    with pytest.raises(Unsupported, match='type "npipe"'):
        spec_of(service("web", volumes=(mount,)))


def test_config_is_a_file_and_an_external_secret_is_refused() -> None:
    use = FileReference(source="c", target="/etc/c", mode=0o400)
    wanted = service("web", configs=(use,))
    whole = project(wanted, configs=(DeclaredFile(key="c", name="demo_c", file="/srv/c"),))
    (file,) = spec_of(wanted, whole=whole).files
    assert (file.target, file.source, file.mode) == ("/etc/c", "/srv/c", 0o400)
    external = (DeclaredFile(key="c", name="c", external=True),)
    wanted = service("web", secrets=(use,))
    with pytest.raises(Unsupported, match="external"):
        spec_of(wanted, whole=project(wanted, secrets=external))


@pytest.mark.parametrize(
    ("mode", "kind", "container"),
    [
        ("host", NetworkMode.HOST, ""),
        ("none", NetworkMode.ENDPOINTS, ""),
        ("service:db", NetworkMode.CONTAINER, "db-id"),
        ("container:outsider", NetworkMode.CONTAINER, "outsider-id"),
        ("container:0123", NetworkMode.CONTAINER, "0123"),
    ],
)
def test_network_modes(mode: str, kind: NetworkMode, container: str) -> None:
    spec = spec_of(service("web", network_mode=mode, networks=()))
    assert (spec.network_mode, spec.network_container, spec.endpoints) == (kind, container, ())


def test_bridge_mode_is_a_network_of_the_project() -> None:
    spec = spec_of(service("web", network_mode="bridge", networks=()))
    assert [endpoint.network for endpoint in spec.endpoints] == ["demo_bridge"]


def test_namespace_of_a_service_without_container_is_not_found() -> None:
    with pytest.raises(NotFound, match='service "gone", which has no container'):
        spec_of(service("web", pid="service:gone"))


def test_namespaces_are_host_private_or_of_a_container() -> None:
    spec = spec_of(service("web", pid="host", ipc="service:db", cgroup="private"))
    assert (spec.namespaces.pid, spec.namespaces.ipc) == ("host", "container:db-id")
    assert spec.namespaces.cgroup == ""


def test_endpoint_answers_to_the_service_and_to_its_aliases() -> None:
    use = ServiceNetwork(key="default", aliases=("api", "web"), ipv4_address="10.0.0.9")
    spec = spec_of(service("web", networks=(use,), mac_address="02:00:00:00:00:01"))
    (endpoint,) = spec.endpoints
    assert endpoint.aliases == ("web", "api")
    assert endpoint.ipv4_address == "10.0.0.9"
    assert endpoint.mac_address == "02:00:00:00:00:01"


def test_link_gives_the_other_service_a_name() -> None:
    services = (service("web", links=(("db", "store"), ("db", "db"))), service("db"))
    assert linked_names(services) == {"db": ("store",)}


def test_exposed_ports_are_gathered_once() -> None:
    wanted = service("web", expose=("90/tcp",), ports=(port(8080, 80),))
    assert spec_of(wanted, image(exposed_ports=("80/tcp",))).exposed_ports == ("80/tcp", "90/tcp")
