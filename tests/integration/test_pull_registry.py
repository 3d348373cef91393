"""Pull and push with Debian's docker-registry and skopeo: passwords, TLS, mirrors, mounts."""

from __future__ import annotations

import json
import os
import shutil
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import AuthRequired, RegistryError
from orchestra.image.platform import machine_platform
from orchestra.image.publishing import Publisher
from orchestra.image.receive import Receiver
from orchestra.image.reference import parse_reference
from orchestra.image.store import LocalImageStore
from orchestra.registry.base import LayerPhase, LayerProgress, Pulled, PullRequest, Pushed
from orchestra.registry.configuration import Configuration, RegistrySettings, load_configuration
from orchestra.registry.credentials import Credential, Credentials, Secret
from orchestra.registry.failures import ManifestUnknown, Unreachable
from orchestra.registry.pull import pull
from orchestra.registry.push import push
from orchestra.registry.registries import Registries
from tests.support.images import make_image
from tests.support.registry import PASSWORD, PROGRAM, USER, running_registry
from tests.support.skopeo import publish, publish_index, skopeo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.registry import Registry

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="layers have owners, which needs root"),
    pytest.mark.skipif(
        not (shutil.which(PROGRAM) and shutil.which("skopeo")),
        reason="needs docker-registry and skopeo",
    ),
]

BASE = {"bin/": b"", "bin/tool": os.urandom(300_000)}
IMAGE = make_image([BASE, {"etc/": b"", "etc/app.conf": b"1"}], {"Cmd": ["/bin/tool"]})


class Machine:
    """A store, a home directory and what a user does with them."""

    def __init__(self, directory: str, registries: dict[str, RegistrySettings]) -> None:
        self.store = LocalImageStore(os.path.join(directory, "images"))
        self.environ = {"HOME": directory, "PATH": os.environ["PATH"]}
        self.registries = registries
        self.events: list[LayerProgress] = []

    @contextmanager
    def opened(self) -> Iterator[Registries]:
        with Registries(Configuration(self.registries), self.environ) as registries:
            yield registries

    def pull(self, name: str) -> Pulled:
        with self.opened() as registries, Receiver(self.store) as receiver:
            request = PullRequest(parse_reference(name), machine_platform("x86_64"))
            return pull(request, registries, receiver, self.events.append)

    def push(self, name: str) -> Pushed:
        self.events.clear()
        with self.opened() as registries:
            return push(
                parse_reference(name), registries, Publisher(self.store), self.events.append
            )

    def log_in(self, domain: str, password: str = PASSWORD) -> None:
        credential = Credential(USER, Secret(password))
        with self.opened() as registries:
            registries.check_login(domain, credential)
        Credentials(self.environ).store(domain, credential)

    def layer_phases(self) -> list[LayerPhase]:
        """The last phase of each layer."""
        return list({event.digest: event.phase for event in self.events}.values())


@pytest.fixture
def directory(roots: dict[str, str]) -> str:
    path = os.path.join(os.path.dirname(roots["ORCHESTRA_DATA_ROOT"]), "registry")
    os.makedirs(path)
    return path


@pytest.fixture
def registry(directory: str) -> Iterator[Registry]:
    with running_registry(os.path.join(directory, "server")) as registry:
        yield registry


@pytest.fixture
def machine(directory: str) -> Machine:
    return Machine(directory, {})


def test_an_image_is_pulled_with_its_layers(registry: Registry, machine: Machine) -> None:
    publish_index(registry, "app:1", {"linux/amd64": IMAGE})
    pulled = machine.pull(f"{registry.host}/app:1")
    image = machine.store.find(f"{registry.host}/app:1")
    assert image.config.command == ("/bin/tool",)
    assert pulled.digest == image_digest(registry, "app:1")
    top, bottom = machine.store.layers(image.config.id)
    with open(os.path.join(bottom, "bin/tool"), "rb") as file:
        assert file.read() == BASE["bin/tool"]
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o755
    assert os.listdir(os.path.join(top, "etc")) == ["app.conf"]


def image_digest(registry: Registry, name: str) -> str:
    raw = skopeo(
        "inspect", "--tls-verify=false", "--format", "{{.Digest}}",
        f"docker://{registry.host}/{name}",
    )  # fmt: skip
    return raw.decode().strip()


def test_a_second_pull_is_one_round_trip(registry: Registry, machine: Machine) -> None:
    publish_index(registry, "app:1", {"linux/amd64": IMAGE})
    assert machine.pull(f"{registry.host}/app:1").is_new
    before = len(registry.requests())
    assert not machine.pull(f"{registry.host}/app:1").is_new
    assert registry.requests()[before:] == ["HEAD /v2/app/manifests/1"]


def test_what_is_pushed_is_what_skopeo_finds(registry: Registry, machine: Machine) -> None:
    publish(registry, "app:1", IMAGE)
    machine.pull(f"{registry.host}/app:1")
    machine.store.tag(f"{registry.host}/app:1", f"{registry.host}/copy:2")
    pushed = machine.push(f"{registry.host}/copy:2")
    assert pushed.digest == IMAGE.manifest
    raw = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{registry.host}/copy:2")
    assert raw == IMAGE.blobs[IMAGE.manifest]
    assert machine.layer_phases() == [LayerPhase.MOUNTED, LayerPhase.MOUNTED]


def test_pushing_again_sends_nothing(registry: Registry, machine: Machine) -> None:
    publish(registry, "app:1", IMAGE)
    machine.pull(f"{registry.host}/app:1")
    machine.push(f"{registry.host}/app:1")
    assert set(machine.layer_phases()) == {LayerPhase.PUSHED_BEFORE}
    assert not any(line.startswith("POST") for line in registry.requests()[-4:])


def test_an_image_moves_to_another_registry(
    registry: Registry, machine: Machine, directory: str
) -> None:
    publish(registry, "app:1", IMAGE)
    machine.pull(f"{registry.host}/app:1")
    with running_registry(os.path.join(directory, "other"), password=True) as other:
        machine.store.tag(f"{registry.host}/app:1", f"{other.host}/team/app:1")
        with pytest.raises(AuthRequired, match="wants a login"):
            machine.push(f"{other.host}/team/app:1")
        machine.log_in(other.host)
        machine.push(f"{other.host}/team/app:1")
        assert set(machine.layer_phases()) == {LayerPhase.PUSHED}
        raw = skopeo(
            "inspect", "--config", "--tls-verify=false", "--creds", f"{USER}:{PASSWORD}",
            f"docker://{other.host}/team/app:1",
        )  # fmt: skip
        assert json.loads(raw)["config"]["Cmd"] == ["/bin/tool"]


def test_a_password_is_asked_for_and_checked(machine: Machine, directory: str) -> None:
    with running_registry(os.path.join(directory, "server"), password=True) as registry:
        publish(registry, "app:1", IMAGE, login=f"{USER}:{PASSWORD}")
        with pytest.raises(AuthRequired, match="wants a login") as caught:
            machine.pull(f"{registry.host}/app:1")
        assert f"orchestra login {registry.host}" in caught.value.fix
        with pytest.raises(AuthRequired, match="refuses the login"):
            machine.log_in(registry.host, "wrong")
        machine.log_in(registry.host)
        assert machine.pull(f"{registry.host}/app:1").is_new


def test_a_registry_with_its_own_ca_is_trusted_when_told(machine: Machine, directory: str) -> None:
    with running_registry(os.path.join(directory, "server"), tls=True) as registry:
        publish(registry, "app:1", IMAGE)
        machine.registries[registry.host] = RegistrySettings()
        with pytest.raises(Unreachable, match=r"certificate .* is not trusted") as caught:
            machine.pull(f"{registry.host}/app:1")
        assert "registries.toml" in caught.value.fix
        machine.registries[registry.host] = RegistrySettings(ca=registry.ca)
        assert machine.pull(f"{registry.host}/app:1").is_new


def test_an_insecure_registry_may_have_any_certificate(machine: Machine, directory: str) -> None:
    with running_registry(os.path.join(directory, "server"), tls=True) as registry:
        publish(registry, "app:1", IMAGE)
        assert machine.pull(f"{registry.host}/app:1").is_new


def test_a_client_certificate_is_shown_as_docker_is_told_to(
    machine: Machine, directory: str
) -> None:
    server = os.path.join(directory, "server")
    with running_registry(server, tls=True) as registry:
        publish(registry, "app:1", IMAGE)
    with running_registry(server, tls=True, known_clients=True) as registry:
        place = os.path.join(directory, "certs.d", registry.host)
        os.makedirs(place)
        shutil.copy(registry.ca, os.path.join(place, "ca.crt"))
        machine.registries[registry.host] = docker_settings(directory, registry.host)
        with pytest.raises(RegistryError):
            machine.pull(f"{registry.host}/app:1")
        for ours, theirs in (("client.cert", "tls.crt"), ("client.key", "tls.key")):
            shutil.copy(os.path.join(server, theirs), os.path.join(place, ours))
        machine.registries[registry.host] = docker_settings(directory, registry.host)
        assert machine.pull(f"{registry.host}/app:1").is_new


def docker_settings(directory: str, host: str) -> RegistrySettings:
    """What `certs.d` in *directory* says of *host*."""
    configuration = load_configuration(
        {"HOME": directory}, system_file="/nowhere", certificates=f"{directory}/certs.d"
    )
    return configuration.settings(host)


def test_plain_http_must_be_allowed(registry: Registry, machine: Machine) -> None:
    publish(registry, "app:1", IMAGE)
    machine.registries[registry.host] = RegistrySettings(insecure=False)
    with pytest.raises(Unreachable, match="does not speak TLS") as caught:
        machine.pull(f"{registry.host}/app:1")
    assert "insecure = true" in caught.value.fix


def test_a_mirror_stands_in_for_docker_hub(registry: Registry, machine: Machine) -> None:
    publish(registry, "library/redis:7", IMAGE)
    machine.registries["docker.io"] = RegistrySettings(mirrors=(registry.host,))
    machine.registries[registry.host] = RegistrySettings(insecure=True)
    assert machine.pull("redis:7").is_new
    assert machine.store.find("redis:7").id == IMAGE.config


def test_a_missing_tag_is_told(registry: Registry, machine: Machine) -> None:
    publish(registry, "app:1", IMAGE)
    with pytest.raises(ManifestUnknown, match="has no app:2"):
        machine.pull(f"{registry.host}/app:2")
