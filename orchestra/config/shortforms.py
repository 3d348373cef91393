"""Short syntax -> long syntax, one function per shape. Each may raise Fault.

They accept long syntax too and return it unchanged (canonical is idempotent).
"""

from __future__ import annotations

from typing import Any

from orchestra.config.merge_rules import (
    as_list,
    as_mapping,
    dependencies,
    names,
    spell,
)
from orchestra.config.ports import long_ports
from orchestra.config.problems import Fault, raise_together
from orchestra.config.tree import Map, Seq
from orchestra.config.volumes import long_volume


def string_list(value: Any) -> Any:
    """A lone string is a list of one."""
    return as_list(value) if isinstance(value, str) else value


def servers(value: Any) -> Any:
    """`dns`: a list; an empty entry, as from a variable that is not set, is none."""
    items = string_list(value)
    if not isinstance(items, list) or "" not in items:
        return items
    return as_list([item for item in items if item != ""])


def mapping(value: Any) -> Any:
    """KEY=value strings, a key without "=" having no value."""
    return as_mapping(value)


def labels(value: Any) -> Any:
    """As `mapping`, where no value means an empty one."""
    pairs = as_mapping(value)
    for key, item in pairs.items():
        if item is None:
            pairs[key] = ""
    return pairs


def named_contexts(value: Any) -> Any:
    """`additional_contexts`: every name needs a value."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if "=" not in str(item):
                raise Fault(f'expected NAME=value, found "{item}"', at=(index,))
    return as_mapping(value)


def name_map(value: Any) -> Any:
    return names(value, {}, _first)


def depends_on(value: Any) -> Any:
    edges = dependencies(value, {}, _first)
    if isinstance(edges, dict):
        for name, edge in edges.items():
            if edge is None:
                edges[name] = edge = {}
            if isinstance(edge, dict):
                edge.setdefault("condition", "service_started")
                edge.setdefault("required", True)
    return edges


def _first(base: Any, _over: Any) -> Any:
    return base


def build(value: Any) -> Any:
    return {"context": value} if isinstance(value, str) else value


def extends(value: Any) -> Any:
    return {"service": value} if isinstance(value, str) else value


def ssh(value: Any) -> Any:
    """`build.ssh`: ids without a path use the agent, which only "default" may."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if "=" not in str(item) and item != "default":
                raise Fault(f'"{item}" is no SSH key', 'write "default" or "ID=PATH"', (index,))
    return as_mapping(value)


def env_files(value: Any) -> Any:
    items = as_list(value)
    for index, item in enumerate(items):
        if isinstance(item, str):
            items[index] = {"path": item, "required": True}
        elif isinstance(item, dict):
            item.setdefault("required", True)
    return items


def file_use(value: Any) -> Any:
    """A config or secret of a service or build."""
    if isinstance(value, str):
        return {"source": value}
    if isinstance(value, dict) and not value.get("source"):
        raise Fault("source is missing", 'write "source: NAME", a config or secret of the project')
    return value


def volume(value: Any) -> Any:
    if isinstance(value, str):
        return long_volume(value)
    if isinstance(value, dict):
        if not value.get("target"):
            raise Fault("target is missing", 'write "target: PATH", an absolute path')
        if value.get("type") == "bind" and not value.get("source"):
            raise Fault("source is missing", 'write "source: PATH" for a bind mount')
    return value


def device(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    source, *rest = value.split(":")
    if len(rest) > 2 or not source:
        raise Fault(f'"{value}" is no device', 'write "HOST:CONTAINER:rwm", or use the long syntax')
    target = rest[0] if rest and rest[0] else source
    return {"source": source, "target": target, "permissions": rest[1] if len(rest) > 1 else "rwm"}


def gpus(value: Any) -> Any:
    return [{"count": "all"}] if isinstance(value, str) else value


_MOST_PORTS = 3 * 65_536  # all of tcp, udp and sctp


def ports(value: Any) -> Any:
    """The whole list, because one range may stand for many entries."""
    if not isinstance(value, list):
        return value
    result = Seq()
    faults: list[Fault] = []
    for index, item in enumerate(value):
        try:
            entries = _long_entries(item)
        except Fault as fault:
            fault.at = (index,)
            faults.append(fault)
            continue
        result.extend(entries)
        if isinstance(value, Seq):
            result.marks += value.marks[index : index + 1] * len(entries)
        if len(result) > _MOST_PORTS:
            raise Fault(f"more than {_MOST_PORTS} ports", "publish fewer of them", (index,))
    raise_together(faults)
    return result


def _long_entries(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return [item]
    if isinstance(item, (str, int)) and not isinstance(item, bool):
        return long_ports(str(item))
    raise Fault(f"expected a port, found {spell(item)}")


def text(value: Any) -> Any:
    """`provenance` and `sbom`: true and false are words here."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def resource(value: Any) -> Any:
    """What is declared at the top level; the schema lets anything pass under an odd name."""
    if not isinstance(value, dict):
        raise Fault(f"expected a mapping, found {spell(value)}")
    return value


def external(value: Any) -> Any:
    """`external: {name: x}`, as version 2 had it, is `external: true` with a `name`."""
    value = resource(value)
    if not isinstance(value.get("external"), dict):
        return value
    name = value["external"].get("name")
    if name is not None:
        if "name" in value and value["name"] != name:
            raise Fault(
                "name and external.name differ", "remove external.name", ("external", "name")
            )
        value.setdefault("name", name)
        if isinstance(value, Map) and "external" in value.marks:
            value.marks.setdefault("name", value.marks["external"])
    value["external"] = True
    return value
