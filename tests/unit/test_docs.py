"""What can be read of the documentation without running it."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from orchestra.cli.environment import VARIABLES
from orchestra.cli.table import COMMANDS, FAMILIES, INSTEAD
from tests.support import compatibility
from tests.support.command_lines import calls_in, parsed_call
from tests.support.markdown import ROOT, blocks, console_commands, documents, setup_command

KNOWN_LANGUAGES = {"console", "sh", "yaml", "python", "ini", "dockerfile", "dockerignore", ""}


@pytest.mark.parametrize("document", documents())
def test_every_block_has_a_language_that_says_how_it_is_checked(document: str) -> None:
    assert {block.language for block in blocks(document)} <= KNOWN_LANGUAGES


@pytest.mark.parametrize("document", documents())
def test_links_between_documents_lead_somewhere(document: str) -> None:
    with open(os.path.join(ROOT, document), encoding="utf-8") as file:
        text = file.read()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert os.path.exists(os.path.join(ROOT, os.path.dirname(document), target)), target


@pytest.mark.parametrize("document", documents())
def test_paths_and_commands_that_are_named_exist(document: str) -> None:
    with open(os.path.join(ROOT, document), encoding="utf-8") as file:
        text = file.read()
    for path in re.findall(r"`((?:orchestra|docs|tests|samples|benchmarks)/[\w./-]+)`", text):
        assert re.search("NAME|NNN", path) or os.path.exists(os.path.join(ROOT, path)), path
    for name in re.findall(r"`orchestra ([a-z]+)", text):
        assert name in COMMANDS or name in FAMILIES, name


def test_the_index_leads_to_every_page() -> None:
    with open(f"{ROOT}/docs/index.md", encoding="utf-8") as file:
        linked = set(re.findall(r"\]\(([\w-]+\.md)\)", file.read()))
    pages = {os.path.basename(name) for name in documents() if name.startswith("docs/")}
    assert pages - {"index.md"} == linked


def test_the_page_on_installing_says_what_the_readme_does() -> None:
    block = next(b for b in blocks("docs/install.md") if b.language == "sh")
    of_the_readme = setup_command().partition(" && cd ")[0].split(" && ")
    assert block.text.splitlines() == of_the_readme[1:]


def test_the_page_on_migrating_has_every_variable() -> None:
    with open(f"{ROOT}/docs/migrating.md", encoding="utf-8") as file:
        rows = re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", file.read(), re.M)
    assert dict(rows) == VARIABLES


@pytest.mark.parametrize("document", documents())
def test_command_lines_in_running_text_parse(document: str) -> None:
    """Those of blocks too, which other tests run."""
    with open(os.path.join(ROOT, document), encoding="utf-8") as file:
        spans = re.findall(r"(?<!`)`(orchestra [a-z-][^`]*)`", file.read())
    written = [
        line
        for block in blocks(document)
        if block.language in ("console", "sh")
        for line in block.text.splitlines()
    ]
    shown = [line.removeprefix("$ ") for line in written if re.search(r"\borchestra [a-z-]", line)]
    for line in (*spans, *(line for line in shown if not line.startswith("#"))):
        for argv in calls_in(line):
            if argv:
                parsed_call(argv)


def test_the_shell_understands_the_readme_and_ci() -> None:
    for script in (setup_command(), "\n".join(console_commands("README.md"))):
        subprocess.run(["sh", "-n"], input=script, text=True, check=True, timeout=10)
    subprocess.run(["sh", "-n", f"{ROOT}/.ci/run"], check=True, timeout=10)


def test_ci_takes_its_set_up_from_the_readme() -> None:
    with open(f"{ROOT}/.ci/run", encoding="utf-8") as file:
        line = next(line for line in file if line.startswith("setup="))
    done = subprocess.run(
        ["sh", "-euc", f'{line}\necho "$setup"'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    assert done.stdout.strip() == setup_command().partition(" && cd ")[0]


def test_every_attribute_has_a_row_and_each_works_has_its_test() -> None:
    known = compatibility.rows()
    schema = set(compatibility.attributes())
    assert sorted(schema - known.keys()) == [], "no row in tests/support/compatibility.txt"
    assert sorted(known.keys() - schema) == [], "no such attribute"
    for path, row in known.items():
        assert row.tests or row.reason, path
        for test in row.tests:
            assert not compatibility.missing_test(test), (path, test)


def test_a_missing_test_is_noticed() -> None:
    for name in ("attributes[nowhere]", "test_hooks.py::test_nothing", "test_nowhere.py::test_x"):
        assert compatibility.missing_test(name), name


def test_the_matrix_is_up_to_date() -> None:
    with open(compatibility.PAGE, encoding="utf-8") as file:
        assert file.read() == compatibility.page(), (
            "run `python -m tests.support.compatibility --write`"
        )


def test_the_page_on_compatibility_names_every_command() -> None:
    with open(f"{ROOT}/docs/compatibility.md", encoding="utf-8") as file:
        text = file.read()
    there = text[: text.index("Not planned")]
    missing = [name for name in COMMANDS if f"`{name.split()[-1]}`" not in there]
    missing = [name for name in missing if f"`{name}`" not in there]
    assert not missing
    families = {name.split()[0] for name in INSTEAD if name.split()[0] not in FAMILIES}
    for name in families | {name for name in INSTEAD if name.split()[0] in FAMILIES}:
        assert f"`{name}`" in text[text.index("Not planned") :], name
