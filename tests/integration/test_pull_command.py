"""`up` and `pull` with images from a registry: the sample's names unmodified, through a mirror."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually
from tests.support.images import make_image
from tests.support.probe import missing_for
from tests.support.registry import PASSWORD, PROGRAM, USER, running_registry
from tests.support.skopeo import publish, skopeo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.registry import Registry
    from tests.support.scenario import Orchestra, Result

BUSYBOX = "/bin/busybox"

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(bool(missing_for("network")), reason="needs network namespaces"),
    pytest.mark.skipif(
        not (shutil.which(PROGRAM) and shutil.which("skopeo") and os.path.exists(BUSYBOX)),
        reason="needs docker-registry, skopeo and busybox-static",
    ),
]

COMPOSE = """
name: demo
services:
  cache:
    image: redis:7
    command: [sh, -c, "echo from the registry; exec sleep 60"]
    init: true
"""


def write(orchestra: Orchestra, text: str) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(text)


@pytest.fixture
def hub(orchestra: Orchestra) -> Iterator[Registry]:
    """A registry that stands in for Docker Hub, with one image: redis:7."""
    with open(BUSYBOX, "rb") as file:
        busybox = file.read()
    base = {"bin/": b"", "bin/busybox": busybox, "bin/sh": busybox, "bin/sleep": busybox}
    image = make_image([base, {"etc/": b"", "etc/redis.conf": b"7"}], {"Env": ["PATH=/bin"]})
    with running_registry(os.path.join(orchestra.directory, "hub")) as registry:
        publish(registry, "library/redis:7", image)
        orchestra.env["DOCKER_CONFIG"] = os.path.join(orchestra.directory, "docker")
        orchestra.env["ORCHESTRA_REGISTRY_MIRROR"] = f"http://{registry.host}"
        write(orchestra, COMPOSE)
        yield registry
        orchestra("down", "-t", "0")


def test_up_pulls_what_the_file_names(orchestra: Orchestra, hub: Registry) -> None:
    done = orchestra("up", "-d")
    assert "cache  Pulled" in done.err
    assert "from the registry" in orchestra("logs").out
    before = len(hub.requests())
    orchestra("up", "-d")
    assert hub.requests()[before:] == []


def test_pull_brings_images_up_to_date(orchestra: Orchestra, hub: Registry) -> None:
    done = orchestra("pull")
    assert "cache  Pulling" in done.err
    assert "Download complete" in done.err
    before = len(hub.requests())
    orchestra("pull", "-q")
    assert hub.requests()[before:] == ["HEAD /v2/library/redis/manifests/7"]


def test_a_build_pulls_its_base_again_when_told(orchestra: Orchestra, hub: Registry) -> None:
    build = 'build: {dockerfile_inline: "FROM redis:7\\nLABEL a=b\\n", pull: PULL}'
    text = COMPOSE.replace("image: redis:7", build)
    write(orchestra, text.replace("PULL", "false"))
    orchestra("build")
    before = len(hub.requests())
    orchestra("build")
    assert hub.requests()[before:] == []
    write(orchestra, text.replace("PULL", "true"))
    orchestra("build")
    assert "HEAD /v2/library/redis/manifests/7" in hub.requests()[before:]


def test_a_missing_image_is_told_with_its_place(orchestra: Orchestra, hub: Registry) -> None:
    write(orchestra, COMPOSE.replace("redis:7", f"{hub.host}/redis:8"))
    done = orchestra("up", "-d", code=18)
    assert 'compose.yaml:5:12: service "cache":' in done.err
    assert f"{hub.host} has no redis:8" in done.err
    assert orchestra("ps", "-aq").out == ""
    assert orchestra("pull", code=18).out == ""
    orchestra("pull", "--ignore-pull-failures")


def test_up_without_pulling_says_what_to_do(orchestra: Orchestra, hub: Registry) -> None:
    del hub
    done = orchestra("up", "-d", "--pull", "never", code=18)
    assert "orchestra pull" in done.err


def test_run_pulls_as_well(orchestra: Orchestra, hub: Registry) -> None:
    del hub
    done = orchestra("run", "--rm", "-T", "cache", "busybox", "cat", "/etc/redis.conf")
    assert done.out == "7"


def test_an_image_goes_to_a_private_registry_and_back(orchestra: Orchestra, hub: Registry) -> None:
    del hub
    done = orchestra("image", "pull", "redis:7")
    assert "7: Pulling from library/redis\n" in done.out
    assert done.out.endswith("docker.io/library/redis:7\n")
    digest = done.out.partition("Digest: ")[2].partition("\n")[0]
    assert "Image is up to date for redis:7" in orchestra("image", "pull", "redis:7").out
    directory = os.path.join(orchestra.directory, "private")
    with running_registry(directory, password=True) as private:
        name = f"{private.host}/team/redis:7"
        orchestra("image", "tag", "redis:7", name)
        refused = orchestra("image", "push", name, code=1)
        assert f"orchestra login {private.host}" in refused.err
        assert "refuses the login" in log_in(orchestra, private, "wrong", code=1).err
        assert log_in(orchestra, private, PASSWORD).out == "Login Succeeded\n"
        again = orchestra("login", private.host)  # as Docker, with what is known already
        assert again.out == "Login Succeeded\n"
        assert again.err == f"Authenticating with existing credentials... [Username: {USER}]\n"
        pushed = orchestra("image", "push", name)
        assert f"The push refers to repository [{private.host}/team/redis]\n" in pushed.out
        assert f"7: digest: {digest} size: " in pushed.out
        orchestra("image", "rm", name)
        assert orchestra("image", "pull", "-q", name).out == f"{name}\n"
        logout = f"Removing login credentials for {private.host}\n"
        assert orchestra("logout", private.host).out == logout
        assert orchestra("logout", private.host).out == f"Not logged in to {private.host}\n"
        orchestra("image", "rm", name)
        orchestra("image", "pull", name, code=1)


def log_in(orchestra: Orchestra, registry: Registry, password: str, code: int = 0) -> Result:
    return orchestra(
        "login", registry.host, "-u", USER, "--password-stdin", stdin=password, code=code
    )


def test_a_bad_name_and_the_host_cannot_be_pulled_or_pushed(orchestra: Orchestra) -> None:
    assert "no capitals" in orchestra("image", "pull", "Redis", code=1).err
    assert "always there" in orchestra("image", "pull", "host", code=1).err
    assert "cannot be pushed" in orchestra("image", "push", "host", code=1).err
    assert "digest reference" in orchestra("image", "push", f"redis@sha256:{'0' * 64}", code=1).err


def test_a_password_is_not_asked_for_without_a_terminal(orchestra: Orchestra) -> None:
    assert "non TTY" in orchestra("login", "-u", "ada", code=1, stdin="x").err
    stdin = ("login", "-u", "ada", "--password-stdin")
    assert "password is empty" in orchestra(*stdin, code=1, stdin="\n").err
    assert "--username" in orchestra("login", "--password-stdin", code=1, stdin="x").err


def test_a_login_that_has_become_wrong_is_told(orchestra: Orchestra) -> None:
    orchestra.env["DOCKER_CONFIG"] = os.path.join(orchestra.directory, "docker")
    with running_registry(os.path.join(orchestra.directory, "private"), password=True) as private:
        orchestra("login", private.host, "-u", USER, "-p", PASSWORD)
        path = os.path.join(orchestra.env["DOCKER_CONFIG"], "config.json")
        wrong = {"auths": {private.host: {"auth": base64.b64encode(b"ada:old").decode()}}}
        with open(path, "w") as file:
            json.dump(wrong, file)
        refused = orchestra("login", private.host, code=1).err
        assert "Stored credentials invalid or expired" in refused
        assert "non TTY" in refused


NGINX = """
daemon off; pid nginx.pid; error_log stderr;
events {{}}
http {{
  access_log off; client_max_body_size 1m;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:5081;
    location / {{ proxy_pass http://{host}; proxy_set_header Host $http_host; }}
  }}
}}
"""


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
def test_through_a_proxy_that_takes_only_small_requests_layers_go_in_parts(
    orchestra: Orchestra, hub: Registry
) -> None:
    directory = os.path.join(orchestra.directory, "nginx")
    os.mkdir(directory)
    image = make_image([{"big": os.urandom(5_000_000)}, {"bigger": os.urandom(7_000_000)}])
    publish(hub, "large:1", image)
    name = "127.0.0.1:5081/parts:1"
    with running_registry(os.path.join(orchestra.directory, "empty")) as empty:
        with open(os.path.join(directory, "nginx.conf"), "w") as file:
            file.write(NGINX.format(host=empty.host))
        proxy = subprocess.Popen(["nginx", "-p", directory, "-c", f"{directory}/nginx.conf"])
        try:
            orchestra("image", "pull", f"{hub.host}/large:1")
            orchestra("image", "tag", f"{hub.host}/large:1", name)
            eventually(lambda: _accepts(5081), within_s=10)
            orchestra("image", "push", name)
        finally:
            proxy.terminate()
            proxy.wait(10)
        parts = [line for line in empty.requests() if line.startswith("PATCH")]
        assert len(parts) > 12
        orchestra("image", "pull", f"{empty.host}/parts:1")


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_push_sends_what_services_build(orchestra: Orchestra, hub: Registry) -> None:
    name = f"{hub.host}/mine"
    orchestra("pull")
    orchestra("image", "tag", "redis:7", f"{name}:1")
    orchestra("image", "tag", "redis:7", f"{name}:extra")
    write(
        orchestra,
        f"services:\n  a: {{image: '{name}:1', build: {{context: ., tags: ['{name}:extra']}}}}\n"
        f"  b: {{image: '{name}:2', build: .}}\n  c: {{image: other}}\n",
    )
    done = orchestra("push", "a", "c")
    assert f"{name}:1  Pushed" in done.err
    assert f"{name}:extra  Pushed" in done.err
    assert "c  Skipped" in done.err
    assert "Layer already exists" in done.err  # for the second tag
    assert f'"{name}:2" is not on this machine' in orchestra("push", code=1).err
    orchestra("push", "--ignore-push-failures")
    orchestra("image", "rm", f"{name}:extra")
    orchestra("image", "pull", f"{name}:extra")


def test_what_was_built_here_is_pushed_compressed_and_keeps_its_id(
    orchestra: Orchestra, hub: Registry
) -> None:
    with open(os.path.join(orchestra.directory, "Dockerfile"), "w") as file:
        file.write("FROM redis:7\nCOPY compose.yaml /data/\n")
    with open(os.path.join(orchestra.directory, "compose.yaml"), "a") as file:
        file.write("#" * 100_000)
    name = f"{hub.host}/built:1"
    orchestra("image", "build", "-t", name, ".")
    built = orchestra("image", "inspect", "-f", "{{.Id}}", name).out
    first = orchestra("image", "push", name).out
    assert orchestra("image", "push", name).out == first  # the same digest
    manifest = json.loads(
        skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{name}").decode()
    )
    assert all(layer["mediaType"].endswith("gzip") for layer in manifest["layers"])
    assert manifest["layers"][-1]["size"] < 10_000
    orchestra("image", "rm", name)
    orchestra("image", "pull", name)
    assert orchestra("image", "inspect", "-f", "{{.Id}}", name).out == built


def test_what_lies_on_the_host_cannot_be_pushed(orchestra: Orchestra) -> None:
    with open(os.path.join(orchestra.directory, "Dockerfile"), "w") as file:
        file.write("FROM host\nENV A=1\n")
    orchestra("image", "build", "-t", "localhost:1/mine", ".")
    refused = orchestra("image", "push", "localhost:1/mine", code=1).err
    assert "built FROM host" in refused


def test_images_are_pulled_one_by_one_when_told(orchestra: Orchestra, hub: Registry) -> None:
    for name in ("one", "two", "three"):
        publish(hub, f"{name}:1", make_image([{name: os.urandom(200_000)}]))
    write(
        orchestra,
        "services:\n"
        + "".join(f"  {n}: {{image: '{hub.host}/{n}:1'}}\n" for n in ("one", "two", "three")),
    )
    before = len(hub.requests())
    orchestra("--parallel", "1", "pull")
    repositories = [line.split("/")[2] for line in hub.requests()[before:]]
    assert len(set(repositories)) == 3
    changes = sum(one != other for one, other in pairwise(repositories))
    assert changes == 2


def test_all_tags_of_a_repository_are_pulled(orchestra: Orchestra, hub: Registry) -> None:
    for tag in ("1", "2"):
        publish(hub, f"app:{tag}", make_image([{"a": tag.encode()}]))
    done = orchestra("image", "pull", "-q", "-a", f"{hub.host}/app")
    assert done.out == f"{hub.host}/app:1\n{hub.host}/app:2\n"
    assert "cannot be used" in orchestra("image", "pull", "-a", f"{hub.host}/app:1", code=1).err
    assert "has no nope" in orchestra("image", "pull", "-a", f"{hub.host}/nope", code=1).err
