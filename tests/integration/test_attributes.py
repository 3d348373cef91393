"""What a service's attributes come to inside its container, by themselves and beside Docker.

All cases of a theme are the services of one project; what each prints is compared with what is
right, and with what the same file prints with Docker Compose, where that and dockerd are there.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.integration.attributes import process, resources, security
from tests.integration.attributes.case import Case, Peer
from tests.support.docker_engine import DockerEngine, find_compose, why_no_engine
from tests.support.probe import missing_for
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.mark import ParameterSet

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox-static"),
]

CASES: dict[str, tuple[Case, ...]] = {
    "security": security.CASES,
    "process": process.CASES,
    "resources": resources.CASES,
}
_FILES = {
    "profile.json": json.dumps(
        {
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}],
        }
    ),
    "one.env": "ONE=1\nTWO=one\n",
    "two.env": "TWO=two\nTHREE=two\n",
    "raw.env": 'QUOTED="as it is" $HOME\n',
    "labels": "of.file=1\n",
}
_COMPOSE = find_compose() or ""
_WHY_NO_DOCKER = why_no_engine() or ("" if _COMPOSE else "needs Docker Compose 2")


@pytest.fixture(scope="module")
def place(outer_namespaces: None) -> Iterator[str]:
    del outer_namespaces
    directory = tempfile.mkdtemp(prefix="orchestra-test-", dir="/run")
    yield directory
    shutil.rmtree(directory)


def project(place: str, name: str) -> str:
    """A directory with the files that cases name."""
    directory = os.path.join(place, name)
    os.makedirs(directory)
    for file, text in _FILES.items():
        with open(os.path.join(directory, file), "w") as stream:
            stream.write(text)
    return directory


@pytest.fixture(scope="module")
def ours(place: str) -> dict[str, str]:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": "/root",
        "ORCHESTRA_DATA_ROOT": f"{place}/data",
        "ORCHESTRA_RUN_ROOT": f"{place}/run",
    }
    told: dict[str, str] = {}
    for theme, cases in _possible():
        peer = Peer([PROGRAM], env, project(place, theme))
        told |= peer.tell(cases, [PROGRAM, "image", "load", "-i"])
    return told


@pytest.fixture(scope="module")
def theirs(place: str) -> dict[str, str]:
    told: dict[str, str] = {}
    with DockerEngine() as engine:
        for theme, cases in _possible():
            peer = Peer([_COMPOSE], engine.environ, project(place, f"docker-{theme}"))
            beside = [case for case in cases if case.beside_docker]
            told |= peer.tell(beside, ["docker", "-H", engine.host, "load", "-i"])
    return told


def _possible() -> Iterator[tuple[str, tuple[Case, ...]]]:
    """Those of `resources` look at files of cgroup v1; `test_cgroup_v2_uml.py` has the others."""
    for theme, cases in CASES.items():
        if theme != "resources" or not missing_for("cgroup1"):
            yield theme, cases


def _all(*, beside_docker: bool) -> list[ParameterSet]:
    return [
        pytest.param(
            case, id=case.name, marks=[pytest.mark.cgroup1] if theme == "resources" else []
        )
        for theme, cases in CASES.items()
        for case in cases
        if (case.beside_docker if beside_docker else case.expected)
    ]


@pytest.mark.parametrize("case", _all(beside_docker=False))
def test_it_has_its_effect(ours: dict[str, str], case: Case) -> None:
    assert ours[case.name] == case.expected


@pytest.mark.slow
@pytest.mark.docker
@pytest.mark.skipif(bool(_WHY_NO_DOCKER), reason=_WHY_NO_DOCKER)
@pytest.mark.parametrize("case", _all(beside_docker=True))
def test_docker_tells_the_same(ours: dict[str, str], theirs: dict[str, str], case: Case) -> None:
    assert ours[case.name] == theirs[case.name]
