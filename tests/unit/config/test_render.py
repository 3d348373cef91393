"""`config` prints the canonical form: order, zero values, quotes, JSON's quirks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestra.config.document import read_documents
from orchestra.config.render import model_to_json, model_to_yaml, to_json, to_yaml
from orchestra.config.schema import load_schema
from orchestra.config.shapes import PROJECT, Shape
from orchestra.config.yamltext import scalar, yaml_text


def printed(**attributes: object) -> str:
    """The lines of one service, without their indent."""
    text = to_yaml({"name": "p", "services": {"web": attributes}})
    return "".join(line[4:] + "\n" for line in text.splitlines()[3:])


def test_attributes_come_in_the_order_of_docker_compose_and_extensions_last() -> None:
    service = {"x-b": 1, "volumes": ["v"], "image": "i", "build": {"context": "c"}, "x-a": 2}
    assert printed(**service) == (
        "build:\n  context: c\nimage: i\nvolumes:\n  - v\nx-a: 2\nx-b: 1\n"
    )


def test_zero_values_are_left_out_unless_writing_them_says_something() -> None:
    zeros = {"privileged": False, "user": "", "mem_limit": "0", "labels": {}, "ports": []}
    said = {"init": False, "scale": 0, "command": [], "stop_grace_period": "0s", "logging": {}}
    assert printed(**zeros, **said) == (
        "command: []\ninit: false\nlogging: {}\nscale: 0\nstop_grace_period: 0s\n"
    )


def test_a_user_of_zero_is_a_user() -> None:
    assert printed(user="0") == 'user: "0"\n'


def test_free_mappings_are_sorted_as_people_count() -> None:
    environment = {"a10": "", "a9": "", "A_B": "", "AB": "", "a": None}
    names = [line.split(":")[0].strip() for line in printed(environment=environment).splitlines()]
    assert names == ["environment", "A_B", "AB", "a", "a9", "a10"]


def test_dollars_are_doubled_so_that_the_output_can_be_loaded() -> None:
    assert printed(command=["echo", "$HOME"]) == "command:\n  - echo\n  - $$HOME\n"


def test_modes_are_numbers() -> None:
    assert "mode: 288" in printed(secrets=[{"source": "s", "mode": "0440"}])


def test_env_files_are_shown_only_when_they_were_not_read() -> None:
    tree = {"services": {"web": {"env_file": [{"path": "/e", "required": True}]}}}
    assert "env_file" not in to_yaml(tree)
    assert "env_file" in to_yaml(tree, env_files=True)


def test_the_content_of_secrets_is_never_shown() -> None:
    tree = {
        "services": {},
        "secrets": {"s": {"environment": "S", "content": "hidden"}},
        "configs": {"c": {"environment": "C", "content": "hidden"}, "d": {"content": "shown"}},
    }
    assert "hidden" not in to_yaml(tree) + to_json(tree)
    assert "shown" in to_yaml(tree)


def test_json_has_the_quirks_of_docker_compose() -> None:
    tree = {
        "name": "p",
        "x-top": {"b": "<&>", "a": 2.0},
        "services": {"web": {"image": "i", "x-inner": 1, "deploy": {}}},
        "networks": {"default": {"name": "p_default"}},
    }
    text = to_json(tree)
    assert "\\u003c\\u0026\\u003e" in text
    assert msgspec.json.decode(text) == {
        "name": "p",
        "networks": {"default": {"name": "p_default", "ipam": {}}},
        "services": {
            "web": {
                "command": None,
                "deploy": {"resources": {}, "placement": {}},
                "entrypoint": None,
                "image": "i",
            }
        },
        "x-top": {"a": 2, "b": "<&>"},
    }


def test_a_model_that_was_not_interpolated_is_shown_whole() -> None:
    tree = {"services": {"web": {"tty": False, "image": "$IMAGE", "command": ""}}}
    expected = 'services:\n  web:\n    command: ""\n    image: $IMAGE\n    tty: false\n'
    assert model_to_yaml(tree) == expected
    assert msgspec.json.decode(model_to_json(tree)) == tree


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("a b", "a b"),
        ("", '""'),
        ("yes", '"yes"'),
        ("N", '"N"'),
        ("0.10", '"0.10"'),
        ("12:30", '"12:30"'),
        ("0x1f", '"0x1f"'),
        ("2001-01-01", '"2001-01-01"'),
        ("1.5.2", "1.5.2"),
        ("a: b", "'a: b'"),
        ("a:", "'a:'"),
        ("a #b", "'a #b'"),
        ("#x", "'#x'"),
        ("it's", "it's"),
        ("'", "''''"),
        ("-", "'-'"),
        ("-x", "-x"),
        ("tab\there", '"tab\\there"'),
        ("\x1b[31m", '"\\e[31m"'),
        ("😀", '"\\U0001F600"'),
        ("é", "é"),
        ("a\nb\n", "|\n  a\n  b"),
        ("a\nb", "|-\n  a\n  b"),
        ("a\n\n", "|+\n  a\n"),
        (" a\nb", "|2-\n   a\n  b"),
        ("a \nb", '"a \\nb"'),
        ("\n", '"\\n"'),
    ],
)
def test_texts_are_quoted_as_go_yaml_does(text: str, written: str) -> None:
    assert scalar(text, "  ") == written


def _unprinted(schema: Any, shape: Shape, path: str) -> list[str]:
    """Attributes of *schema* that no shape prints."""
    schema = _resolved(schema)
    missing = [f"{path}.{name}" for name in schema.get("properties", {}) if name not in shape]
    for name, rule in shape.items():
        inner = _resolved(schema.get("properties", {}).get(name, {}))
        if rule.inner is not None:
            below = [*inner.get("patternProperties", {}).values(), inner.get("items", {}), inner]
            forms = [form for form in map(_resolved, below) if isinstance(form, dict)]
            with_names = [form for form in forms if "properties" in form]
            for form in with_names[:1]:
                missing += _unprinted(form, rule.inner, f"{path}.{name}")
    return missing


def _resolved(schema: Any) -> Any:
    if isinstance(schema, dict) and "$ref" in schema:
        return SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")]  # type: ignore[index]  # a schema
    return schema


SCHEMA = load_schema("compose")


def test_every_attribute_of_the_schema_is_printed() -> None:
    former = {".version", ".include"}
    assert set(_unprinted(SCHEMA, PROJECT, "")) == former


def test_that_check_would_find_a_missing_attribute() -> None:
    shape = {name: rule for name, rule in PROJECT.items() if name != "volumes"}
    assert ".volumes" in _unprinted(SCHEMA, shape, "")


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(["y", "0b1", "1_0", "<<", "=", "~", ".5", "1:2", "- a", "a\n", "? x"])
)
TREES = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
        ),
        max_leaves=12,
    ),
    max_size=4,
)


@given(TREES.filter(bool))
def test_what_was_written_is_read_back(tree: dict[str, object]) -> None:
    (document,) = read_documents(yaml_text(tree).encode(), "out.yaml")
    assert _plain(document.tree) == tree


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_other_readers_take_texts_for_texts(texts: list[str]) -> None:
    assert yaml.load(yaml_text(texts), Loader=yaml.CSafeLoader) == texts


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
