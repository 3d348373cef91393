"""Names for containers that were given none."""

from __future__ import annotations

import random

from orchestra.ops.container_rename import check_name
from orchestra.ops.random_name import random_name


def test_names_are_valid_and_never_taken() -> None:
    numbers = random.Random(7)
    taken: set[str] = set()
    for _ in range(6000):  # more than there are pairs of words
        name = random_name(numbers, taken)
        assert name not in taken
        check_name(name)
        taken.add(name)
