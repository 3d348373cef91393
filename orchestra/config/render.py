"""What `orchestra config` prints: the canonical tree of a project as YAML or JSON.

Both are Docker Compose's canonical form: attributes in its order, zero values left out (`shapes`),
the keys of free mappings sorted, `$` doubled so that the output is a compose file again. JSON has
the quirks of Go's encoder: extensions only at the top, `command` and `entrypoint` even if null.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orchestra.config.shapes import PROJECT
from orchestra.config.yamltext import yaml_text
from orchestra.model.structs import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.config.shapes import Rule, Shape

_RUNS = re.compile(r"[0-9]+|[^0-9]")
_GO_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def to_yaml(tree: Mapping[str, object], *, env_files: bool = False) -> str:
    """The canonical *tree* as YAML; with *env_files* if these were not read into `environment`."""
    project = _Printer(in_json=False, env_files=env_files).project(tree)
    return yaml_text(project).replace("$", "$$")


def to_json(tree: Mapping[str, object], *, env_files: bool = False) -> str:
    """The canonical *tree* as JSON, indented by two spaces; *env_files* as for `to_yaml`."""
    project = _Printer(in_json=True, env_files=env_files).project(tree)
    return _json_text(dict(sorted(project.items()))).replace("$", "$$")


def model_to_yaml(tree: Mapping[str, object]) -> str:
    """A *tree* that was not interpolated, whole, as YAML: `config --no-interpolate`."""
    return yaml_text(_sorted(tree, _natural_order))


def model_to_json(tree: Mapping[str, object]) -> str:
    """A *tree* that was not interpolated, whole, as JSON."""
    return _json_text(_sorted(tree, str))


class _Printer:
    """Brings the mappings of a tree into their printed form."""

    def __init__(self, *, in_json: bool, env_files: bool) -> None:
        self._in_json = in_json
        self._env_files = env_files
        self._order = str if in_json else _natural_order

    def project(self, tree: Mapping[str, object]) -> dict[str, Any]:
        printed = self._mapping({"services": {}, **tree}, PROJECT)
        if not self._env_files:
            for service in printed.get("services", {}).values():
                service.pop("env_file", None)
        for secret in printed.get("secrets", {}).values():
            secret.pop("content", None)  # read from the environment; not to be shown
        for config in printed.get("configs", {}).values():
            if "environment" in config:
                config.pop("content", None)
        if self._in_json:
            extensions = {key: value for key, value in tree.items() if key.startswith("x-")}
            printed.update(_sorted(extensions, self._order))
        return printed

    def _mapping(self, tree: Mapping[str, object], shape: Shape) -> dict[str, Any]:
        printed: dict[str, Any] = {}
        for name, rule in shape.items():
            if name in tree:
                value = self._value(tree[name], rule)
                if self._is_printed(value, rule):
                    printed[name] = value
                    continue
            if self._in_json and rule.always_in_json:
                printed[name] = {} if rule.inner else None
        if not self._in_json:
            extensions = [name for name in tree if name not in shape and name.startswith("x-")]
            for name in sorted(extensions, key=self._order):
                printed[name] = _sorted(tree[name], self._order)
        return printed

    def _value(self, value: object, rule: Rule) -> object:
        if rule.octal and isinstance(value, str):
            return int(value, 8)
        if rule.inner is None or not isinstance(value, dict | list):
            return _sorted(value, self._order)
        if not rule.each:
            return self._mapping(value, rule.inner) if isinstance(value, dict) else value
        if isinstance(value, list):
            return [self._each(item, rule.inner) for item in value]
        return {key: self._each(value[key], rule.inner) for key in sorted(value, key=self._order)}

    def _each(self, item: object, shape: Shape) -> object:
        return self._mapping(item, shape) if isinstance(item, dict) else item

    def _is_printed(self, value: object, rule: Rule) -> bool:
        if value is None:
            return False
        return rule.keep_zero or (bool(value) and not _is_zero(value, rule))


def _is_zero(value: object, rule: Rule) -> bool:
    return isinstance(value, str) and value in rule.zeros


def _sorted(value: Any, order: Callable[[str], Any]) -> Any:
    """*value* with the keys of all its mappings in *order*."""
    if isinstance(value, dict):
        return {key: _sorted(value[key], order) for key in sorted(value, key=order)}
    if isinstance(value, list):
        return [_sorted(item, order) for item in value]
    return value


def _natural_order(text: str) -> list[tuple[int, int, int]]:
    """The sort key of go-yaml: numbers by value, then letters, other characters in front."""
    key: list[tuple[int, int, int]] = []
    behind_digits = False
    for run in _RUNS.findall(text):
        if "0" <= run[0] <= "9":
            key.append((1, int(run), len(run)))
            behind_digits = True
            continue
        letter = 2 if not behind_digits else -1
        key.append((letter if run.isalpha() else 0, ord(run), 0))
        behind_digits = False
    return key


def _json_text(value: object) -> str:
    text = msgspec.json.format(msgspec.json.encode(_go_numbers(value)), indent=2).decode()
    for char, escape in _GO_ESCAPES.items():
        text = text.replace(char, escape)
    return text + "\n"


def _go_numbers(value: Any) -> Any:
    """*value* with whole numbers as Go prints them: 2.0 is 2."""
    if isinstance(value, dict):
        return {key: _go_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_go_numbers(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    return value
