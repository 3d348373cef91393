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
    """*used* are the records that were found or put, by key: what `cache_to` gives away."""

    def __init__(self, directory: str, elsewhere: Elsewhere | None) -> None:
        super().__init__(directory)
        self._elsewhere = elsewhere
        self.used: dict[str, Record] = {}

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
            self.used[key] = record
        return record

    def put(self, key: str, record: Record) -> None:
        super().put(key, record)
        self.used[key] = record

    def findings(self) -> Findings:
        return super().findings()._replace(used=self.used)

    def adopt(self, found: Findings) -> None:
        super().adopt(found)
        self.used.update(found.used)
