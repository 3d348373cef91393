"""Whatever a file holds, the loader answers with a project or with our own error, and soon."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestra.config.pipeline import load
from orchestra.config.render import to_json, to_yaml
from orchestra.config.request import LoadRequest
from orchestra.config.schema import load_schema
from orchestra.config.yamltext import yaml_text
from orchestra.errors import OrchestraError
from tests.support.documents import broken_documents, documents

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = load_schema("compose")
WORDS = st.sampled_from(
    ["services: ", "web: ", "image: ", "ports: ", "volumes: ", "depends_on: ", "extends: ",
     "include: ", "profiles: ", "env_file: ", "networks: ", "configs: ", "x-", "file: ", "\n",
     "\n  ", "\n    ", "- ", "{", "}", "[", "]", ": ", ",", "&a ", "*a", "<<: ", "!reset ", "'",
     "!override ", '"', "${", "$", ":-", ":?", "|\n", "\t", "#", "? ", "---\n", "\ufeff", "\x00",
     "é", "null", "~", "0x", "1e9", ".env", "compose.yaml", "web", "8080:80", "a:/b"]
)  # fmt: skip
LONGEST = timedelta(seconds=3)


def load_text(folder: Path, text: bytes, dotenv: bytes = b"A=1\n") -> None:
    """Load and print a project of this text. OrchestraError is an answer; all else is a fault."""
    (folder / "compose.yaml").write_bytes(text)
    (folder / ".env").write_bytes(dotenv)
    try:
        tree = load(LoadRequest(cwd=str(folder), environ={"HOME": "/h", "B": "${A}"})).tree
    except OrchestraError:
        return
    to_yaml(tree)
    to_json(tree)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any-input")


_many = settings(
    max_examples=int(os.environ.get("ORCHESTRA_FUZZ_EXAMPLES", "50")),
    deadline=LONGEST,
    suppress_health_check=list(HealthCheck),
    derandomize="ORCHESTRA_FUZZ_EXAMPLES" not in os.environ,
)
"""ORCHESTRA_FUZZ_EXAMPLES asks for a longer run with new examples."""


@_many
@given(text=st.lists(WORDS | st.text(max_size=5), max_size=25).map("".join))
def test_any_text(folder: Path, text: str) -> None:
    load_text(folder, text.encode("utf-8", "surrogatepass"))


@_many
@given(text=st.binary(max_size=60))
def test_any_bytes(folder: Path, text: bytes) -> None:
    load_text(folder, text)
    load_text(folder, b"services: {web: {image: x, env_file: .env}}", dotenv=text)


@_many
@given(document=broken_documents(SCHEMA))
def test_any_document_that_is_nearly_one(folder: Path, document: Any) -> None:
    load_text(folder, yaml_text(document).encode("utf-8", "surrogatepass"))


@_many
@given(document=documents(SCHEMA))
def test_any_document_that_the_schema_accepts(folder: Path, document: Any) -> None:
    load_text(folder, yaml_text(document).encode("utf-8", "surrogatepass"))


VALUES = st.sampled_from(
    ["", "x", ":", "a:b", "a:b:c", "/", "./x", "~", "0", "-1", "9" * 30, "1e400", "${A}", "1-0",
     "80/", "/udp", "[::1]:80:80", "=", "a=b", "NaN", ".", "..", "service:", "service:web",
     "container:x", "\x00", "\x1b", "é" * 10, "1h", "-1s", "1kb", "all", "0o9", "CMD", " "]
)  # fmt: skip


@_many
@given(data=st.data())
def test_any_value_of_any_attribute(folder: Path, data: st.DataObject) -> None:
    attributes = sorted(SCHEMA["$defs"]["service"]["properties"])  # type: ignore[index]  # a schema
    names = data.draw(st.lists(st.sampled_from(attributes), max_size=5, unique=True))
    value = VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(VALUES, VALUES, max_size=2)
    service = {"image": "x", **{name: data.draw(value) for name in names}}
    load_text(folder, yaml_text({"services": {"web": service}}).encode())


@pytest.mark.parametrize(
    "text",
    [
        r'include: ["\0"]',
        r'services: {web: {image: x, env_file: "\0"}}',
        r'services: {web: {extends: {file: "\0", service: x}}}',
        r'services: {web: {image: x, label_file: "\0"}}',
        r'include: [{path: a, project_directory: "\0", env_file: "\0"}]',
        r'services: {web: {build: "\0", volumes: ["\0:/x", "./\0:/y"]}}',
    ],
)
def test_no_path_holds_a_nul(folder: Path, text: str) -> None:
    load_text(folder, text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "a: " * 5000,
        "[" * 20000,
        "services: {web: {image: " + "x" * 1_000_000 + "}}",
        "services: {web: {image: '" + "${A:-" * 3000 + "}" * 3000 + "'}}",
        "x-a0: &a0 [1]\n" + "".join(f"x-a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(40)),
        "services:\n" + "".join(f"  s{n}: {{image: x, links: [s{n + 1}]}}\n" for n in range(500)),
    ],
    ids=["deep mapping", "deep list", "long value", "deep default", "aliases", "long chain"],
)
def test_extremes(folder: Path, text: str) -> None:
    load_text(folder, text.encode())
