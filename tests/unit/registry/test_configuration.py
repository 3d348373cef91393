"""registries.toml, the environment and Docker's certificates: where to ask, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.errors import ConfigError
from orchestra.registry.configuration import Configuration, RegistrySettings, load_configuration
from orchestra.registry.proxy import proxy_for

if TYPE_CHECKING:
    from pathlib import Path


def load(tmp_path: Path, system: str = "", user: str = "", **environ: str) -> Configuration:
    (tmp_path / "system.toml").write_text(system)
    (tmp_path / "orchestra").mkdir(exist_ok=True)
    (tmp_path / "orchestra" / "registries.toml").write_text(user)
    return load_configuration(
        {"XDG_CONFIG_HOME": str(tmp_path), **environ},
        system_file=str(tmp_path / "system.toml"),
        certificates=str(tmp_path / "certs.d"),
    )


def urls(configuration: Configuration, domain: str) -> list[str]:
    return [endpoint.url for endpoint in configuration.endpoints(domain)]


def test_without_settings_registries_speak_tls(tmp_path: Path) -> None:
    configuration = load(tmp_path)
    assert urls(configuration, "docker.io") == ["https://registry-1.docker.io"]
    assert urls(configuration, "ghcr.io") == ["https://ghcr.io"]
    assert not configuration.settings("ghcr.io").insecure


@pytest.mark.parametrize("domain", ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000"])
def test_this_machine_may_speak_plain_http(tmp_path: Path, domain: str) -> None:
    assert urls(load(tmp_path), domain) == [f"https://{domain}", f"http://{domain}"]


@pytest.mark.parametrize("domain", ["localhost.example", "127.0.0.1.example:5000", "10.0.0.1:5000"])
def test_others_may_not(tmp_path: Path, domain: str) -> None:
    assert urls(load(tmp_path), domain) == [f"https://{domain}"]


def test_mirrors_come_first_with_the_settings_of_their_host(tmp_path: Path) -> None:
    configuration = load(
        tmp_path,
        '[registry."docker.io"]\nmirrors = ["https://m.example/", "plain.example:80"]\n'
        '[registry."plain.example:80"]\ninsecure = true\n',
    )
    endpoints = configuration.endpoints("docker.io")
    assert [(endpoint.url, endpoint.is_mirror) for endpoint in endpoints] == [
        ("https://m.example", True),
        ("https://plain.example:80", True),
        ("http://plain.example:80", True),
        ("https://registry-1.docker.io", False),
    ]
    assert [endpoint.settings.insecure for endpoint in endpoints] == [False, True, True, False]
    assert len(configuration.endpoints("docker.io", with_mirrors=False)) == 1


def test_the_users_file_wins_for_each_registry(tmp_path: Path) -> None:
    configuration = load(
        tmp_path,
        '[registry."a.example"]\nca = "/a"\n[registry."b.example"]\nca = "/b"\n',
        '[registry."b.example"]\ntimeout_s = 5\n',
    )
    assert configuration.settings("a.example").ca == "/a"
    assert configuration.settings("b.example") == RegistrySettings(timeout_s=5)


def test_the_environment_comes_on_top(tmp_path: Path) -> None:
    configuration = load(
        tmp_path,
        '[registry."h.example"]\nca = "/a"\n',
        ORCHESTRA_REGISTRY_MIRROR="http://m:1, http://m:2",
        ORCHESTRA_INSECURE_REGISTRIES="h.example,",
    )
    assert urls(configuration, "docker.io")[:2] == ["http://m:1", "http://m:2"]
    assert configuration.settings("h.example") == RegistrySettings(ca="/a", insecure=True)


def test_the_certificates_of_docker_are_used(tmp_path: Path) -> None:
    directory = tmp_path / "certs.d" / "h.example:5000"
    directory.mkdir(parents=True)
    for name in ("ca.crt", "other.crt", "my.cert", "my.key"):
        (directory / name).touch()
    found = load(tmp_path).settings("h.example:5000")
    assert found.cas == (str(directory / "ca.crt"), str(directory / "other.crt"))
    assert found.client_certificate == str(directory / "my.cert")
    assert found.client_key == str(directory / "my.key")


def test_a_file_changes_only_what_it_names(tmp_path: Path) -> None:
    directory = tmp_path / "certs.d" / "h.example"
    directory.mkdir(parents=True)
    (directory / "ca.crt").touch()
    text = '[registry."h.example"]\ntimeout_s = 5\n[registry."localhost:5000"]\ntimeout_s = 5\n'
    configuration = load(tmp_path, text + '[registry."127.0.0.1:5000"]\ninsecure = false\n')
    assert configuration.settings("h.example").cas == (str(directory / "ca.crt"),)
    assert configuration.settings("h.example").timeout_s == 5
    assert configuration.settings("localhost:5000").insecure
    assert not configuration.settings("127.0.0.1:5000").insecure


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[registry", "system.toml"),
        ('[registry."h"]\nsecure = true\n', "secure"),
        ('[registry."h"]\ninsecure = "yes"\n', "bool"),
        ("[registries]\n", "registries"),
    ],
)
def test_a_wrong_file_is_named_with_the_place(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        load(tmp_path, text)
    assert "system.toml" in str(caught.value)


PROXIED = {"HTTPS_PROXY": "http://p:3128", "http_proxy": "plain:80"}


@pytest.mark.parametrize(
    ("scheme", "host", "environ", "proxy"),
    [
        ("https", "ghcr.io", {}, ""),
        ("https", "ghcr.io", PROXIED, "http://p:3128"),
        ("http", "ghcr.io", PROXIED, "http://plain:80"),
        ("http", "ghcr.io", {"ALL_PROXY": "http://all"}, "http://all"),
        ("https", "localhost:5000", PROXIED, ""),
        ("https", "127.0.0.2", PROXIED, ""),
        ("https", "[::1]:5000", PROXIED, ""),
        ("https", "a.corp", {**PROXIED, "NO_PROXY": "x,corp"}, ""),
        ("https", "a.corp:5000", {**PROXIED, "NO_PROXY": ".corp"}, ""),
        ("https", "a.corp:5000", {**PROXIED, "NO_PROXY": "*.corp"}, ""),
        ("https", "a.corp:5000", {**PROXIED, "NO_PROXY": "a.corp:5000"}, ""),
        ("https", "a.corp:5000", {**PROXIED, "NO_PROXY": "a.corp:5001"}, "http://p:3128"),
        ("https", "notcorp", {**PROXIED, "NO_PROXY": "corp"}, "http://p:3128"),
        ("https", "10.1.2.3:5000", {**PROXIED, "NO_PROXY": "10.0.0.0/8"}, ""),
        ("https", "11.1.2.3:5000", {**PROXIED, "NO_PROXY": "10.0.0.0/8"}, "http://p:3128"),
        ("https", "ghcr.io", {**PROXIED, "NO_PROXY": "*"}, ""),
        ("https", "ghcr.io", {**PROXIED, "NO_PROXY": ""}, "http://p:3128"),
    ],
)
def test_proxies_are_taken_from_the_environment(
    scheme: str, host: str, environ: dict[str, str], proxy: str
) -> None:
    assert proxy_for(scheme, host, environ) == proxy
