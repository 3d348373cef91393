"""Names for containers that were given none: two words that one can say on the telephone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

_MANNERS = (
    "agile", "amber", "bold", "brave", "bright", "brisk", "calm", "clear", "clever", "cosy",
    "crisp", "curious", "dapper", "deep", "eager", "early", "fair", "fleet", "fresh", "gentle",
    "glad", "golden", "grand", "handy", "happy", "honest", "humble", "jolly", "keen", "kind",
    "lively", "loyal", "lucid", "lucky", "mellow", "merry", "mild", "modest", "neat", "nimble",
    "noble", "patient", "plain", "polite", "proud", "quick", "quiet", "rapid", "ready", "sharp",
    "silver", "simple", "sly", "smooth", "sober", "solid", "sound", "steady", "sunny", "sweet",
    "swift", "tender", "tidy", "vivid", "warm", "wise", "witty", "young",
)  # fmt: skip
_PLAYERS = (
    "alto", "bassoon", "bugle", "cantor", "carillon", "celesta", "cello", "chime", "clarinet",
    "cornet", "cymbal", "drummer", "fagotto", "fiddle", "flute", "gong", "guitar", "harp",
    "horn", "kettle", "lute", "lyre", "mandolin", "marimba", "oboe", "ocarina", "octet", "organ",
    "piano", "piccolo", "quartet", "recorder", "sextet", "shawm", "sitar", "soloist", "soprano",
    "spinet", "tabor", "tenor", "theorbo", "timpani", "triangle", "trio", "trombone", "trumpet",
    "tuba", "ukulele", "viola", "violin", "whistle", "xylophone", "zither",
)  # fmt: skip
_TRIES = 8


def random_name(random: Random, taken: Collection[str]) -> str:
    """A name that is not *taken*; with a number behind it when the words have run out."""
    for attempt in range(_TRIES):
        name = f"{random.choice(_MANNERS)}_{random.choice(_PLAYERS)}"
        if attempt > 3:
            name += str(random.randrange(10 ** (attempt - 3)))
        if name not in taken:
            return name
    return f"{name}_{random.randrange(10**12)}"
