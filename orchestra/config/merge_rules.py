"""How two values of one attribute become one, where "the later file wins" is not enough.

Each rule takes the earlier and the later value, either of which may be in short syntax, and may
change the earlier one. compose-spec 13-merge.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.config.problems import Fault
from orchestra.config.tree import Map, Seq, put

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.config.tree import Mark

    MergeMaps = Callable[[Any, Any], Any]
    MergeRule = Callable[[Any, Any, MergeMaps], Any]


def replace(_base: Any, over: Any, _merge: MergeMaps) -> Any:
    """The later value, whatever it is."""
    return over


def keyed(base: Any, over: Any, _merge: MergeMaps) -> Any:
    """KEY=value lists and mappings alike: a union in which the later value wins."""
    merged = as_mapping(base)
    later = as_mapping(over)
    for key in later:
        put(merged, key, later[key], later)
    return merged


def append(base: Any, over: Any, _merge: MergeMaps) -> Any:
    """One list after the other; a lone string is a list of one."""
    return joined(as_list(base), as_list(over))


def listed(value: Any, marks: tuple[Mark, Mark] | None) -> Any:
    """A lone string as a list of one, which remembers the place that its key has in *marks*."""
    if not isinstance(value, str):
        return value
    items = as_list(value)
    if marks is not None:
        items.marks.append(marks[1])
    return items


def append_new(base: Any, over: Any, _merge: MergeMaps) -> Any:
    """The items of the later list that the earlier one lacks, after it."""
    first, second = as_list(base), as_list(over)
    known = {item for item in first if isinstance(item, str)}
    new = Seq()
    for index, item in enumerate(second):
        if not isinstance(item, str) or item not in known:
            new.append(item)
            new.marks += second.marks[index : index + 1]
    return joined(first, new)


def build(base: Any, over: Any, merge: MergeMaps) -> Any:
    return merge(_long(base, "context"), _long(over, "context"))


def dependencies(base: Any, over: Any, merge: MergeMaps) -> Any:
    return merge(_from_names(base, dependency), _from_names(over, dependency))


def names(base: Any, over: Any, merge: MergeMaps) -> Any:
    """A list of names is a mapping of names to nothing."""
    return merge(_from_names(base, nothing), _from_names(over, nothing))


def logging(base: Any, over: Any, merge: MergeMaps) -> Any:
    """Options are merged when both use the same driver, or one of them does not say which."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    if "driver" in base and "driver" in over and base["driver"] != over["driver"]:
        return over
    return merge(base, over)


def pools(base: Any, over: Any, merge: MergeMaps) -> Any:
    """Address pools of a network are the same when their subnet is."""
    if not isinstance(base, list) or not isinstance(over, list):
        return over
    merged = joined(as_list(base), Seq())
    places = {_subnet(pool): place for place, pool in reversed(list(enumerate(merged)))}
    for index, pool in enumerate(over):
        place = places.get(_subnet(pool))
        if place is not None and isinstance(pool, dict) and isinstance(merged[place], dict):
            merged[place] = merge(merged[place], pool)
            continue
        places.setdefault(_subnet(pool), len(merged))
        merged.append(pool)
        if isinstance(over, Seq):
            merged.marks += over.marks[index : index + 1]
    return merged


def _subnet(pool: Any) -> str | None:
    """The subnet of *pool*; None for one that has none, or that the schema will refuse."""
    subnet = pool.get("subnet") if isinstance(pool, dict) else None
    return subnet if isinstance(subnet, str) else None


def nothing() -> Any:
    return None


def dependency() -> dict[str, Any]:
    return {"condition": "service_started", "required": True}


def as_mapping(value: Any) -> Map:
    """KEY=value strings as a mapping; a key without "=" has no value."""
    if isinstance(value, Map):
        return value
    mapping = Map()
    if isinstance(value, dict):
        mapping.update(value)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            text = item if isinstance(item, str) else str(item)
            key, equals, rest = text.partition("=")
            mapping[key] = rest if equals else None
            if isinstance(value, Seq) and index < len(value.marks):
                mapping.marks[key] = (value.marks[index], value.marks[index])
    elif value is not None:
        raise Fault(f"expected a mapping or a list of KEY=value, found {spell(value)}")
    return mapping


def as_list(value: Any) -> Seq:
    if isinstance(value, Seq):
        return value
    items = Seq()
    if isinstance(value, list):
        items.extend(value)
    elif isinstance(value, dict):
        items.extend(_pairs(value))
    elif value is not None:
        items.append(value)
    return items


def _pairs(mapping: dict[str, Any]) -> list[str]:
    pairs = []
    for key, value in mapping.items():
        if isinstance(value, list):
            pairs += [f"{key}={item}" for item in value]
        else:
            pairs.append(key if value is None else f"{key}={value}")
    return sorted(pairs)


def joined(first: Seq, second: Seq) -> Seq:
    both = Seq()
    both.extend(first)
    both.extend(second)
    if len(first.marks) == len(first):
        both.marks = [*first.marks, *second.marks]
    return both


def _long(value: Any, attribute: str) -> Any:
    return {attribute: value} if isinstance(value, str) else value


def _from_names(value: Any, default: Callable[[], Any]) -> Any:
    if not isinstance(value, list):
        return value
    mapping = Map()
    for index, name in enumerate(value):
        if not isinstance(name, str):
            raise Fault(f"expected a name, found {spell(name)}", at=(index,))
        mapping[name] = default()
        if isinstance(value, Seq) and index < len(value.marks):
            mapping.marks[name] = (value.marks[index], value.marks[index])
    return mapping


def spell(value: Any) -> str:
    """*value* as an error names it."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    return f'"{value}"' if isinstance(value, str) else str(value)
