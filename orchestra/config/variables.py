"""The variables that a project's files ask for: `config --variables`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.config.template import TemplateError, Variable, variables
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class NeededVariable(NamedTuple):
    """A variable as the files write it: what stands for it when it is unset, or when it is set."""

    name: str
    required: bool = False
    default: str = ""
    alternate: str = ""

    def for_json(self) -> dict[str, object]:
        """As Docker Compose has it, in its capitals."""
        return {
            "DefaultValue": self.default,
            "Name": self.name,
            "PresenceValue": self.alternate,
            "Required": self.required,
        }

    def for_yaml(self) -> dict[str, object]:
        return {key.lower(): value for key, value in self.for_json().items()}


def variables_of(tree: object) -> list[NeededVariable]:
    """Every variable in the values of *tree*, which was not interpolated, by name.

    One that is written in several ways is told as it was written last. Texts that are no
    templates are passed over: what is wrong with them is interpolation's to say.
    """
    found = {variable.name: _needed(variable) for variable in _in_values(tree)}
    return [found[name] for name in sorted(found)]


def _needed(variable: Variable) -> NeededVariable:
    kind = variable.operator[-1:]
    return NeededVariable(
        variable.name,
        required=kind == "?",
        default=variable.word if kind == "-" else "",
        alternate=variable.word if kind == "+" else "",
    )


def _in_values(value: object) -> Iterator[Variable]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _in_values(item)
    elif isinstance(value, list):
        for item in value:
            yield from _in_values(item)
    elif isinstance(value, str) and "$" in value:
        try:
            yield from list(variables(value))
        except (TemplateError, RecursionError):  # nested thousands deep: no template either
            return
