"""Our NamedTuple behaves as typing's, in all that the project relies on."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pytest

from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Point(NamedTuple):
    """A place."""

    x: int
    name: str = "here"
    tags: tuple[str, ...] = ()

    @property
    def both(self) -> tuple[int, str]:
        return self.x, self.name

    def length(self) -> int:
        return super().__len__()


class Pair(NamedTuple, Generic[T]):
    first: T
    second: T


class Nothing(NamedTuple):
    pass


class Special(Point):
    __slots__ = ()


def test_an_instance_is_a_tuple_with_names_and_methods() -> None:
    point = Point(1, tags=("a",))
    assert (point.x, point.name, point.both, point.length()) == (1, "here", (1, "here"), 3)
    assert repr(point) == "Point(x=1, name='here', tags=('a',))"
    assert point._asdict() == {"x": 1, "name": "here", "tags": ("a",)}
    assert hash(point) == hash((1, "here", ("a",)))
    assert point == (1, "here", ("a",))
    assert Nothing() == ()


def test_a_class_looks_as_those_of_typing() -> None:
    assert type(Point) is type
    assert Point.__doc__ == "A place."
    assert Point._fields == Point.__match_args__ == ("x", "name", "tags")
    assert Point._field_defaults == {"name": "here", "tags": ()}
    assert Pair[int](1, 2).second == 2


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Point(),  # type: ignore[call-arg]
        lambda: Point(1, "a", (), 4),  # type: ignore[call-arg]
        lambda: Point(1, colour="red"),  # type: ignore[call-arg]
        lambda: Point._make((1, 2)),
    ],
)
def test_wrong_arguments_are_a_type_error(wrong: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        wrong()


def test_replacing() -> None:
    changed = Special(1)._replace(name="there")
    assert type(changed) is Special
    assert changed == (1, "there", ())
    with pytest.raises(ValueError, match="colour"):
        Point(1)._replace(colour="red")  # type: ignore[call-arg]


def test_nothing_can_be_set() -> None:
    point: Any = Point(1)
    for name in ("x", "other"):
        with pytest.raises(AttributeError):
            setattr(point, name, 2)


def test_copies_pickles_and_json() -> None:
    point = Point(1, "é")
    for twin in (copy.deepcopy(point), pickle.loads(pickle.dumps(point))):
        assert twin == point
        assert type(twin) is Point
    text = msgspec.json.encode(point)
    assert text == '[1,"é",[]]'.encode()
    assert msgspec.json.decode(text, type=Point) == point
    assert msgspec.json.decode(b"[7]", type=Point) == Point(7)
    with pytest.raises(msgspec.ValidationError, match="Expected `int`, got `str`"):
        msgspec.json.decode(b'["a"]', type=Point)


def test_a_match_statement_takes_it_apart() -> None:
    match Point(3):
        case Point(x, "here"):
            assert x == 3
        case _:
            pytest.fail("no match")


def test_it_loads_no_typing() -> None:
    script = "import sys; import orchestra.named; sys.exit('typing' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
