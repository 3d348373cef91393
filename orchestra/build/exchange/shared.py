"""Records of this machine, and behind them the caches of others: a build with `cache_from`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from orchestra.build.records import Findings, Records

if TYPE_CHECKING:
    from orchestra.build.records import Record


class Elsewhere(Protocol):
    """The caches of other machines; see `exchange.imports`."""

    def has_layer(self, record: Record) -> bool:
        """Is everything of *record* on this machine?"""
        ...

    def find(self, key: str) -> Record | None: ...


class SharedRecords(Records):
    """*used* are the records that were found or put, by key: what `cache_to` gives away.

    *are_ambiguous*: one key has had two of them, as with `--no-cache`, and the image may have both.
    """

    def __init__(self, directory: str, elsewhere: Elsewhere | None) -> None:
        super().__init__(directory)
        self._elsewhere = elsewhere
        self.used: dict[str, Record] = {}
        self.are_ambiguous = False

    def find(self, key: str) -> Record | None:
        """What is known here, or else what another machine's cache has, with its layer."""
        record = super().find(key)
        elsewhere = self._elsewhere
        if elsewhere is not None and (record is None or not elsewhere.has_layer(record)):
            found = elsewhere.find(key)
            if found is not None:
                self.put(key, found)
                return found
        if record is not None:
            self._use(key, record)
        return record

    def put(self, key: str, record: Record) -> None:
        super().put(key, record)
        self._use(key, record)

    def findings(self) -> Findings:
        return Findings(self.pending, self.used, self.are_ambiguous)

    def adopt(self, found: Findings) -> None:
        super().adopt(found)
        self.are_ambiguous |= found.are_ambiguous
        for key, record in found.used.items():
            self._use(key, record)

    def _use(self, key: str, record: Record) -> None:
        known = self.used.get(key)
        if known is not None and _same_result(known, record):
            return
        self.are_ambiguous |= known is not None
        self.used[key] = record


def _same_result(one: Record, other: Record) -> bool:
    """Whether or not it is known to be on the disk."""
    return (one.diff_id, one.created_ns) == (other.diff_id, other.created_ns)
