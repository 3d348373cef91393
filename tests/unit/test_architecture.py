"""The house rules that can be read from the source: who may import whom, and how big things get.

A new edge between packages is added to EXTRA_EDGES here, with the reason.
"""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.imports import Module, external, imported, modules

LAYERS = (
    ("errors", "units", "layout", "log", "named", "patterns", "sha256"),
    ("model", "linux"),
    ("config", "runtime", "image", "registry", "network", "volume", "cgroup", "watch"),
    ("plan", "engine", "build", "bundle"),
    ("backend", "supervisor"),
    ("ops",),
    ("wiring",),
    ("project_api",),
    ("cli", "api", "pytest_plugin"),
    ("__main__",),
)
RANK = {package: rank for rank, layer in enumerate(LAYERS) for package in layer}

EXTRA_EDGES = {
    ("errors", "model.source"): "a Position is part of an error; only for types",
    ("registry", "image.config"): "what a registry keeps are images: the formats are image's",
    ("registry", "image.manifest"): "likewise",
    ("registry", "image.platform"): "likewise",
    ("registry", "image.reference"): "likewise",
}

MAX_LINES, MAX_FUNCTION_LINES = 600, 50

WIRING_WORDS_ALLOWED = {
    "supervisor.server": "who connects to the socket is compared with who owns it",
}

WIRING_WORDS = re.compile(r"\b(rootless|geteuid|euid|is_v2)\b")

MODULES = modules()


def package_of(name: str) -> str:
    return name.split(".")[0]


def is_allowed(importer: str, target: str) -> bool:
    own, other = package_of(importer), package_of(target)
    if own == other or (importer, target) in EXTRA_EDGES or (own, target) in EXTRA_EDGES:
        return True
    if other == "orchestra" or RANK[other] < RANK[own]:
        return True
    return RANK[other] == RANK[own] and target.endswith(".base")


def each(module: Module) -> str:
    return module.name


@pytest.mark.parametrize("module", MODULES, ids=each)
def test_imports_point_down_only(module: Module) -> None:
    if module.name == "__init__":
        return  # the public names, imported when they are asked for: test_startup.py
    targets = {name for name in imported(module) if package_of(name) in RANK}
    wrong = sorted(name for name in targets if not is_allowed(module.name, name))
    assert not wrong, f"{module.name} must not import {', '.join(wrong)}"


def test_every_package_has_its_layer() -> None:
    unknown = {package_of(m.name) for m in MODULES} - set(RANK) - {".", "__init__", ""}
    assert not unknown


@pytest.mark.parametrize("module", MODULES, ids=each)
def test_only_linux_touches_ctypes(module: Module) -> None:
    assert package_of(module.name) == "linux" or "ctypes" not in set(external(module))


@pytest.mark.parametrize("module", MODULES, ids=each)
def test_modules_and_functions_stay_small(module: Module) -> None:
    assert module.lines <= MAX_LINES, f"{module.name} has {module.lines} lines"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MAX_FUNCTION_LINES, f"{module.name}.{node.name} has {length} lines"


@pytest.mark.parametrize("module", MODULES, ids=each)
def test_the_kind_of_host_is_decided_in_wiring(module: Module) -> None:
    if RANK.get(package_of(module.name), 99) >= RANK["wiring"] or module.name == "layout":
        return
    if module.name in WIRING_WORDS_ALLOWED:
        return
    with open(module.path, encoding="utf-8") as file:
        found = {match.group() for line in file for match in WIRING_WORDS.finditer(line)}
    assert not found, f"{module.name} decides by {', '.join(sorted(found))}"


@pytest.mark.parametrize("module", MODULES, ids=each)
def test_no_module_is_a_drawer_for_everything(module: Module) -> None:
    words = set(re.split(r"[._]", module.name))
    assert not words & {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


@pytest.mark.parametrize("module", MODULES, ids=each)
def test_every_module_says_what_it_is(module: Module) -> None:
    if module.lines:
        assert ast.get_docstring(module.tree)
