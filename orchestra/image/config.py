"""Image configs: the JSON of OCI (image-spec config.md) and Docker, and what we run of it.

Go writes null for an empty list or map, so every collection here may be None.
"""

from __future__ import annotations

import datetime
import re

from orchestra.errors import RegistryError
from orchestra.image.manifest import MAX_CONFIG_BYTES, Digest
from orchestra.model.container import Frozen, HealthCheck, ImageId, Pairs
from orchestra.model.image import ImageConfig
from orchestra.model.structs import msgspec

_FRACTION = re.compile(r"\.(\d+)")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

Strings = tuple[str, ...] | None
Keys = dict[str, dict[str, str]] | None
"""A set, as Go spells it: {"8080/tcp": {}}."""


class HealthSettings(Frozen, frozen=True, kw_only=True, rename="pascal"):
    """HEALTHCHECK; durations in nanoseconds, 0 is Docker's default."""

    test: Strings = None
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


class RunSettings(Frozen, frozen=True, kw_only=True, rename="pascal"):
    """How to run the image: the `config` object."""

    user: str = ""
    exposed_ports: Keys = None
    env: Strings = None
    entrypoint: Strings = None
    cmd: Strings = None
    volumes: Keys = None
    working_dir: str = ""
    labels: dict[str, str] | None = None
    stop_signal: str = ""
    healthcheck: HealthSettings | None = None
    on_build: Strings = None
    shell: Strings = None


class RootFileSystem(Frozen, frozen=True, kw_only=True):
    """*diff_ids* are the digests of the uncompressed layers, lowest first."""

    type: str = "layers"
    diff_ids: tuple[Digest, ...] | None = None


class HistoryEntry(Frozen, frozen=True, kw_only=True):
    """One step of a build; an *empty_layer* has no entry in the manifest."""

    created: str = ""
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


class ImageDocument(Frozen, frozen=True, kw_only=True):
    """The whole config blob; its digest is the image's id."""

    created: str | None = None
    author: str = ""
    architecture: str = ""
    variant: str = ""
    os: str = ""
    config: RunSettings | None = None
    rootfs: RootFileSystem = RootFileSystem()
    history: tuple[HistoryEntry, ...] | None = None

    @property
    def diff_ids(self) -> tuple[str, ...]:
        return self.rootfs.diff_ids or ()


def parse_config(data: bytes) -> ImageDocument:
    """The config in *data*. Raises RegistryError when it is malformed."""
    if len(data) > MAX_CONFIG_BYTES:
        raise RegistryError(f"an image config of {len(data)} bytes is too large")
    try:
        return msgspec.json.decode(data, type=ImageDocument)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise RegistryError(f"the image config is malformed: {exc}") from exc


def to_image_config(document: ImageDocument, image_id: ImageId, size_bytes: int) -> ImageConfig:
    """What *document* says about running the image."""
    run = document.config or RunSettings()
    base = ImageConfig(id=image_id)
    return ImageConfig(
        id=image_id,
        entrypoint=run.entrypoint or (),
        command=run.cmd or (),
        env=_environment(run.env or ()),
        cwd=run.working_dir,
        user=run.user,
        volumes=tuple(sorted(run.volumes or ())),
        exposed_ports=tuple(_with_protocol(port) for port in sorted(run.exposed_ports or ())),
        labels=tuple(sorted((run.labels or {}).items())),
        stop_signal=run.stop_signal,
        healthcheck=_healthcheck(run.healthcheck),
        shell=run.shell or base.shell,
        created_ns=created_ns(document.created),
        size_bytes=size_bytes,
    )


def created_ns(text: str | None) -> int:
    """RFC 3339 *text* as nanoseconds since 1970; 0 for none, Go's zero time and what is no time."""
    if not text:
        return 0
    fraction = _FRACTION.search(text)
    try:
        moment = datetime.datetime.fromisoformat(_FRACTION.sub("", text))
    except ValueError:
        return 0
    if moment.tzinfo is None:
        return 0
    seconds = (moment - _EPOCH) // datetime.timedelta(seconds=1)
    nanos = int(fraction[1][:9].ljust(9, "0")) if fraction is not None else 0
    return max(0, seconds * 1_000_000_000 + nanos)


def _environment(entries: tuple[str, ...]) -> Pairs:
    """The last of several settings of one name wins, at the place of the first."""
    return tuple(dict(entry.partition("=")[::2] for entry in entries).items())


def _with_protocol(port: str) -> str:
    return port if "/" in port else f"{port}/tcp"


def _healthcheck(settings: HealthSettings | None) -> HealthCheck | None:
    if settings is None or not settings.test or settings.test[0] == "NONE":
        return None
    default = HealthCheck(test=settings.test)
    return HealthCheck(
        test=settings.test,
        interval_s=settings.interval / 1e9 or default.interval_s,
        timeout_s=settings.timeout / 1e9 or default.timeout_s,
        start_period_s=settings.start_period / 1e9,
        start_interval_s=settings.start_interval / 1e9 or default.start_interval_s,
        retries=settings.retries or default.retries,
    )


def rfc3339(moment_ns: int) -> str:
    moment = datetime.datetime.fromtimestamp(moment_ns // 10**9, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment_ns % 10**9:09d}Z"
