"""The pytest plugin, as far as it goes without containers: what it costs and what it refuses."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module

import pytest

from tests.support.markdown import ROOT

pytest_plugins = "pytester"


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """A pytest of its own, with the plugin and no others."""
    return pytester.runpytest_subprocess("-p", "orchestra.pytest_plugin", *arguments)


@pytest.fixture(autouse=True)
def _no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def test_the_package_announces_it_to_pytest() -> None:
    with open(f"{ROOT}/pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    module = import_module(project["entry-points"]["pytest11"]["orchestra"])
    assert hasattr(module, "compose_project")
    assert project["optional-dependencies"]["pytest"]


def test_a_run_that_does_not_use_it_imports_nothing_of_orchestra() -> None:
    script = "import sys, pytest; before = set(sys.modules); import orchestra.pytest_plugin; "
    script += "print(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=20
    )
    assert done.stdout.split() == ["orchestra", "orchestra.pytest_plugin"]


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("fil='x'", "*pytest.mark.compose has no 'fil', only file, services, profiles, env*"),
        ("scope='week'", "*compose: no scope 'week', only function, class, module, package*"),
        ("file='none.yaml'", "compose file *none.yaml: not found"),
        ("'compose.yaml'", "*write `@pytest.mark.compose(file=*"),
    ],
)
def test_a_wrong_marker_is_told_in_a_line(
    marker: str, message: str, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(f"""
        import pytest
        @pytest.mark.compose({marker})
        def test_it(compose_project): pass
    """)
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*During handling*")


def test_a_wrong_compose_file_is_told_with_its_place(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", compose="services: {web: {imge: host}}")
    pytester.makepyfile("def test_it(compose_project): pass")
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(['*compose.yaml:1:18: services.web: unknown attribute "imge"*'])


def test_wrong_ini_values_are_refused(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ncompose_env = NAME")
    pytester.makepyfile("def test_it(compose_project): pass")
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*compose_env: 'NAME' is not NAME=VALUE*"])
    pytester.makeini("[pytest]\ncompose_timeout = soon")
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*compose_timeout: 'soon' is no number of seconds*"])


def test_markers_and_options_are_listed(pytester: pytest.Pytester) -> None:
    run(pytester, "--markers").stdout.fnmatch_lines(["@pytest.mark.compose(file, services*"])
    run(pytester, "--fixtures").stdout.fnmatch_lines(["compose_project*"])
    run(pytester, "--help").stdout.fnmatch_lines(["*compose_scope (string):*"])
