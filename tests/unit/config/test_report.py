"""Problems as editors and terminals get them."""

from __future__ import annotations

import msgspec
from jsonschema import Draft202012Validator

from orchestra.config.report import problems_json, with_excerpts
from orchestra.config.schema import load_schema
from orchestra.errors import ConfigError, ConfigErrors
from orchestra.model.source import Position

UNKNOWN = ConfigError(
    'services.web: unknown attribute "imge"',
    where=Position("compose.yaml", 3, 5),
    fix='write "image"',
).at("services", "web")
NOWHERE = ConfigError("no configuration file provided: not found")


def test_json_has_the_place_the_path_the_message_and_the_fix() -> None:
    text = problems_json(ConfigErrors([UNKNOWN, NOWHERE]))
    assert msgspec.json.decode(text)["problems"] == [
        {
            "file": "compose.yaml",
            "line": 3,
            "column": 5,
            "path": "services.web",
            "message": 'services.web: unknown attribute "imge"',
            "fix": 'write "image"',
        },
        {
            "file": None,
            "line": None,
            "column": None,
            "path": "",
            "message": "no configuration file provided: not found",
            "fix": "",
        },
    ]
    Draft202012Validator(load_schema("problems")).validate(msgspec.json.decode(text))


def test_no_error_is_an_empty_list() -> None:
    assert msgspec.json.decode(problems_json(None)) == {"problems": []}


def test_the_line_stands_below_the_message_with_a_caret() -> None:
    assert with_excerpts(UNKNOWN, lambda _: "    imge: x\n") == (
        'compose.yaml:3:5: services.web: unknown attribute "imge"\n'
        "        imge: x\n"
        "        ^\n"
        '  fix: write "image"'
    )


def test_without_a_line_there_is_no_excerpt() -> None:
    assert with_excerpts(NOWHERE, lambda _: "x") == str(NOWHERE)
    assert with_excerpts(UNKNOWN, lambda _: "") == str(UNKNOWN)


def test_a_long_line_is_cut_around_the_place() -> None:
    error = ConfigError("x", where=Position("a", 1, 501))
    excerpt = with_excerpts(error, lambda _: "a" * 500 + "B" + "c" * 500).splitlines()
    assert len(excerpt[1]) <= 104
    assert excerpt[1][excerpt[2].index("^")] == "B"


def test_control_characters_of_the_file_are_not_obeyed() -> None:
    error = ConfigError("x", where=Position("a", 1, 3))
    assert "\x1b" not in with_excerpts(error, lambda _: "a\x1b[31mb")


def test_several_problems_follow_each_other() -> None:
    text = with_excerpts(ConfigErrors([UNKNOWN, NOWHERE]), lambda _: "    imge: x")
    assert text.endswith("\nno configuration file provided: not found")
