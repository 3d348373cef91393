"""`orchestra config` prints what `docker compose config` prints.

`config` needs no engine, so Docker Compose 2.26 alone is enough (Debian 13's `docker-compose`):
ORCHESTRA_DOCKER_COMPOSE names the program, else it is looked for in the usual places. What
differs on purpose is in `docs/config-differences.md`: `normalise` takes it out, and `NEWER` names
the cases that 2.26 does not know.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestra.config.pipeline import load
from orchestra.config.render import to_json, to_yaml
from orchestra.config.request import LoadRequest
from orchestra.errors import OrchestraError
from tests.support.docker_engine import find_compose
from tests.unit.config.test_cases import CASES, request_of

_PROGRAM = find_compose() or shutil.which("docker-compose") or ""
_VERSION = "2.26."
_ENVIRON = {"HOME": "/home/me", "PATH": "/usr/bin:/bin"}


def _why_not() -> str:
    """Why the comparison is impossible here, or ""."""
    if not _PROGRAM:
        return "needs Docker Compose: set ORCHESTRA_DOCKER_COMPOSE to its path"
    done = subprocess.run([_PROGRAM, "version", "--short"], capture_output=True, text=True)
    found = done.stdout.strip().removeprefix("v")
    return "" if found.startswith(_VERSION) else f"compares with Compose {_VERSION}x, not {found}"


_REASON = _why_not()
pytestmark = pytest.mark.skipif(bool(_REASON), reason=_REASON)

NEWER = frozenset(
    [
        "cpu-real-time-duration",
        "env-file-raw",
        "gpus-all",
        "hooks",
        "include-same-name-is-merged-and-the-including-file-wins",
        "label-file",
        "merge-extensions",
        "models",
        "pre-start",
        "provider",
        "pull-policy-time",
        "volumes-long-image",
        "volumes-of-one-letter-are-no-drives",
    ]
)
"""Golden cases with attributes or rules that 2.26 does not have."""

STRICTER = frozenset(
    {
        "container-name-that-docker-refuses",
        "container-name-used-twice",
        "restart-unknown",
        "volumes-unknown-type",
    }
)
"""Golden cases that 2.26 accepts and we refuse."""


class Answer(msgspec.Struct):
    accepted: bool
    text: str


def theirs(request: LoadRequest, form: str) -> Answer:
    """What Docker Compose says to *request*."""
    command = [_PROGRAM]
    for flag, values in (
        ("--file", request.files),
        ("--env-file", request.env_files),
        ("--profile", request.profiles),
        ("--project-name", (request.project_name,) if request.project_name else ()),
    ):
        command += [word for value in values for word in (flag, value)]
    command += ["config", "--format", form, *request.services]
    done = subprocess.run(
        command,
        cwd=request.cwd,
        env=dict(request.environ),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return Answer(done.returncode == 0, done.stdout if done.returncode == 0 else done.stderr)


def ours(request: LoadRequest, form: str) -> Answer:
    try:
        tree = load(request).tree
    except OrchestraError as error:
        return Answer(accepted=False, text=str(error))
    return Answer(accepted=True, text=to_yaml(tree) if form == "yaml" else to_json(tree))


def normalise(value: Any) -> Any:
    """*value* without what docs/config-differences.md lists."""
    if isinstance(value, list):
        return [normalise(item) for item in value]
    if not isinstance(value, dict):
        return value
    names = {"Path": "path", "Rate": "rate", "Weight": "weight"}
    value = {names.get(key, key): normalise(item) for key, item in value.items()}
    if value.get("exec") == {"command": None}:
        del value["exec"]
    if isinstance(value.get("ssh"), list):
        value["ssh"] = dict(_ssh_key(item) for item in value["ssh"])
    if value.get("type") == "bind":
        value.get("bind", {}).pop("create_host_path", None)
    return value


def _ssh_key(text: str) -> tuple[str, str | None]:
    name, found, path = text.partition(": ")
    return name, path if found else None


@pytest.mark.parametrize("name", sorted(set(os.listdir(CASES)) - NEWER))
def test_golden_cases_are_judged_and_printed_alike(name: str) -> None:
    request = request_of(os.path.join(CASES, name))
    mine, other = ours(request, "json"), theirs(request, "json")
    if name in STRICTER:
        assert other.accepted
        assert not mine.accepted
        return
    assert mine.accepted == other.accepted, (mine.text, other.text)
    if mine.accepted:
        assert normalise(msgspec.json.decode(mine.text)) == normalise(
            msgspec.json.decode(other.text)
        )


@pytest.mark.parametrize(
    "name", ["deploy", "healthcheck-shell", "networks-options", "yaml-canonical-quotes", "blkio"]
)
def test_yaml_is_equal_to_the_letter(name: str) -> None:
    request = request_of(os.path.join(CASES, name))
    assert ours(request, "yaml") == theirs(request, "yaml")


# -- random projects ------------------------------------------------------------------------------
def _fragments() -> dict[str, list[Any]]:
    """Every value that an attribute has in the golden cases that both programs take."""
    found: dict[str, list[Any]] = {}
    for name in sorted(set(os.listdir(CASES)) - NEWER - STRICTER):
        path = os.path.join(CASES, name, "compose.yaml")
        if not os.path.exists(path) or os.path.exists(os.path.join(CASES, name, "expected.err")):
            continue
        with open(path, encoding="utf-8") as file:
            (tree, *_) = yaml.safe_load_all(file)
        for service in (tree.get("services") or {}).values():
            for attribute, value in service.items():
                if attribute not in _LEFT_OUT and not _is_contextual(value):
                    found.setdefault(attribute, []).append(value)
    return found


_LEFT_OUT = frozenset(["extends", "env_file", "profiles", "network_mode", "pid", "ipc"])
"""They need other services or files; cases of their own compare them."""


def _is_contextual(value: Any) -> bool:
    """It has variables, or numbers and dates that PyYAML writes in another way."""
    text = yaml.safe_dump(value)
    return "$" in text or "gone" in text


FRAGMENTS = _fragments()
RESOURCES = {
    "networks": {"n": None, "front": {"driver": "bridge"}, "back": {"internal": True}},
    "volumes": {"data": None, "v": {"labels": {"a": 1}}},
    "configs": {"c": {"content": "x"}},
    "secrets": {"s": {"file": "./s"}},
}


@st.composite
def _services(draw: Any) -> dict[str, Any]:
    """Some of the services that fragments refer to, each with a few of them."""
    services: dict[str, Any] = {}
    for name in ("web", "db", "cache", "a", "b", "c"):
        attributes = draw(st.lists(st.sampled_from(sorted(FRAGMENTS)), max_size=5, unique=True))
        service = {key: draw(st.sampled_from(FRAGMENTS[key])) for key in attributes}
        service["depends_on"] = []
        services[name] = {"image": "x", **service}
    return services


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("ORCHESTRA_ORACLE_EXAMPLES", "60")),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(base=_services(), override=_services())
def test_random_projects_in_two_files_are_printed_alike(
    tmp_path_factory: pytest.TempPathFactory, base: dict[str, Any], override: dict[str, Any]
) -> None:
    folder = str(tmp_path_factory.mktemp("random"))
    for file_name, tree in (
        ("a.yaml", {"name": "random", "services": base, **RESOURCES}),
        ("b.yaml", {"services": override}),
    ):
        with open(f"{folder}/{file_name}", "w", encoding="utf-8") as file:
            yaml.dump(tree, file, Dumper=_NoAliases)
    request = LoadRequest(cwd=folder, environ=_ENVIRON, files=("a.yaml", "b.yaml"))
    mine, other = ours(request, "yaml"), theirs(request, "yaml")
    assert mine.accepted == other.accepted, (mine.text, other.text)
    if mine.accepted:
        found, expected = (yaml.safe_load(answer.text) for answer in (mine, other))
        assert normalise(found) == normalise(expected)


class _NoAliases(yaml.SafeDumper):
    """Docker Compose limits aliases, and PyYAML makes them of repeated values."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True
