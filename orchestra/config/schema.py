"""Validates a merged compose tree against our JSON Schema.

`accept` gives the quick yes that nearly every document gets; only a document that it does not
accept is shown to jsonschema, whose errors `complaint` turns into ours. Also knows where the
schemas of this package lie. Rules that no schema can say are in `checks`.
"""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from orchestra.config.accept import compile_schema
from orchestra.model.structs import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.errors import ConfigError
    from orchestra.model.source import SourceMap

COMPOSE = "compose"


def schema_file(name: str) -> str:
    """The path of the schema *name* ("compose"): in the wheel, or else in the checkout."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    installed = os.path.join(package, "_schemas")
    folder = installed if os.path.isdir(installed) else os.path.join(package, "..", "schemas")
    return os.path.normpath(os.path.join(folder, f"{name}.schema.json"))


def load_schema(name: str) -> dict[str, object]:
    """The schema *name* as a tree."""
    with open(schema_file(name), "rb") as file:
        return msgspec.json.decode(file.read(), type=dict[str, object])


class Validator:
    """The schema of compose files, read and compiled once for all documents of a load."""

    def __init__(self) -> None:
        self._schema = load_schema(COMPOSE)
        self._accepts = compile_schema(self._schema)

    def validate(self, tree: Mapping[str, object], sources: SourceMap) -> list[ConfigError]:
        """What is wrong with *tree*, in the order of the file; nothing, if it is a compose file.

        *sources* knows where the entries of *tree* were written.
        """
        if self._accepts(tree):
            return []
        from orchestra.config.complaint import explain  # jsonschema is slow to import

        return explain(tree, self._schema, sources)
