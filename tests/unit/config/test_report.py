"""Problems as editors get them."""

from __future__ import annotations

import msgspec
from jsonschema import Draft202012Validator

from orchestra.config.report import problems_json
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
