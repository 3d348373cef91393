"""NamedTuple, made in a sixth of the time: `up` makes 56 such classes, its supervisor 90 more.

`typing.NamedTuple` compiles every annotation, and a constructor for each class, whether or not an
instance is ever made in this process: 0.12 ms a class when all is warm, more on the first way
through, a fifth of what the client of `up` computes. Here annotations stay strings and the
constructor, the same one, is compiled with the first instance. For type checkers it is `typing`'s.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    import sys
    from collections import _tuplegetter  # in C, and where there is none a property

    class _Methods(tuple):
        """What instances can do; the names are those of collections.namedtuple."""

        __slots__ = ()

        @classmethod
        def _make(cls, iterable):
            made = tuple.__new__(cls, iterable)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **changes):
            made = self._make(map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"Got unexpected field names: {list(changes)!r}")
            return made

        __replace__ = _replace

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            shown = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({shown})"

        def __getnewargs__(self):
            return tuple(self)

    class _Maker(type):
        """Makes an ordinary class of the body of one that names NamedTuple as its base."""

        def __new__(cls, name, bases, namespace):
            fields = tuple(map(sys.intern, namespace.get("__annotations__", ())))
            defaults = {field: namespace[field] for field in fields if field in namespace}

            def construct(kind, /, *args, **kwargs):
                constructor = _constructor(name, fields, tuple(defaults.values()))
                made.__new__ = staticmethod(constructor)
                return constructor(kind, *args, **kwargs)

            namespace |= {field: _tuplegetter(at, None) for at, field in enumerate(fields)}
            namespace |= {
                "__slots__": (),
                "__match_args__": fields,
                "_fields": fields,
                "_field_defaults": defaults,
                "__new__": construct,
            }
            bases = tuple(_Methods if base is _BASE else base for base in bases)
            made = type(name, bases, namespace)
            return made

    def _constructor(name, fields, defaults):
        """As `collections.namedtuple` has it: nothing that is written in Python is faster."""
        listed = "".join(f"{field}, " for field in fields)
        scope = {"_new": tuple.__new__, "__builtins__": {}}
        constructor = eval(f"lambda _cls, {listed}: _new(_cls, ({listed}))", scope)  # noqa: S307 (names of fields)
        constructor.__name__, constructor.__qualname__ = "__new__", f"{name}.__new__"
        constructor.__defaults__ = defaults
        return constructor

    _BASE = type.__new__(_Maker, "NamedTuple", (), {})

    class _NamedTuple:
        def __mro_entries__(self, bases):
            return (_BASE,)

    NamedTuple = _NamedTuple()

__all__ = ["NamedTuple"]
