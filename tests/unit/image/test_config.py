"""Image configs: what is run of them, and what is let pass."""

from __future__ import annotations

import json

import pytest

from orchestra.errors import RegistryError
from orchestra.image.config import created_ns, parse_config, to_image_config
from orchestra.model.container import HealthCheck, ImageId
from orchestra.model.image import ImageConfig

ID = ImageId("sha256:" + "0" * 64)


def config_of(settings: object, **document: object) -> ImageConfig:
    data = json.dumps({"config": settings, **document}).encode()
    return to_image_config(parse_config(data), ID, 42)


def test_everything_that_is_run_is_taken_over() -> None:
    config = config_of(
        {
            "User": "redis",
            "ExposedPorts": {"6379/tcp": {}, "53": {}},
            "Env": ["PATH=/bin", "A=1=2", "PATH=/sbin", "EMPTY"],
            "Entrypoint": ["docker-entrypoint.sh"],
            "Cmd": ["redis-server"],
            "Volumes": {"/data": {}},
            "WorkingDir": "/data",
            "Labels": {"b": "2", "a": "1"},
            "StopSignal": "SIGQUIT",
            "Shell": ["/bin/bash", "-c"],
            "Hostname": "ignored",
        },
        created="2024-05-01T10:00:00.123456789Z",
    )
    assert config == ImageConfig(
        id=ID,
        entrypoint=("docker-entrypoint.sh",),
        command=("redis-server",),
        env=(("PATH", "/sbin"), ("A", "1=2"), ("EMPTY", "")),
        cwd="/data",
        user="redis",
        volumes=("/data",),
        exposed_ports=("53/tcp", "6379/tcp"),
        labels=(("a", "1"), ("b", "2")),
        stop_signal="SIGQUIT",
        shell=("/bin/bash", "-c"),
        created_ns=1_714_557_600_123_456_789,
        size_bytes=42,
    )


def test_null_is_nothing() -> None:
    names = ("ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "Labels", "Shell", "OnBuild")
    assert config_of(dict.fromkeys(names), history=None) == ImageConfig(id=ID, size_bytes=42)
    assert config_of(None) == ImageConfig(id=ID, size_bytes=42)


def test_a_healthcheck_has_dockers_defaults_where_it_says_nothing() -> None:
    config = config_of({"Healthcheck": {"Test": ["CMD", "true"], "Interval": 1_500_000_000}})
    assert config.healthcheck == HealthCheck(test=("CMD", "true"), interval_s=1.5)


@pytest.mark.parametrize("test", [None, [], ["NONE"]])
def test_a_healthcheck_may_be_switched_off(test: object) -> None:
    assert config_of({"Healthcheck": {"Test": test}}).healthcheck is None


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01T01:00:00.5+01:00", 500_000_000),
        ("0001-01-01T00:00:00Z", 0),
        ("", 0),
        (None, 0),
        ("yesterday", 0),
    ],
)
def test_times_are_nanoseconds(text: str | None, nanoseconds: int) -> None:
    assert created_ns(text) == nanoseconds


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[1]",
        b'{"config": {"Env": "A=1"}}',
        b'{"rootfs": {"diff_ids": ["md5:1"]}}',
        b" " * (9 << 20),
    ],
)
def test_malformed_configs_are_refused(data: bytes) -> None:
    with pytest.raises(RegistryError):
        parse_config(data)
