"""Build contexts that are no directory of this machine, brought here for as long as builds last.

A context may be a git repository, an archive or a Dockerfile from a web server or from stdin; an
additional one also an image in an OCI layout. docs.docker.com/build/concepts/context.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from orchestra.build.address import (
    IMAGE_SCHEME,
    STDIN,
    is_remote,
    is_repository,
    is_url,
    spelled_out,
)
from orchestra.errors import NotFound, Unsupported
from orchestra.model.structs import msgspec

if TYPE_CHECKING:
    from types import TracebackType
    from typing import BinaryIO, Self

    from orchestra.build.workplace import Workplace
    from orchestra.layout import Layout
    from orchestra.model.build import BuildSpec

_LAYOUT = "oci-layout://"
_TAR_MAGIC = slice(257, 262)
_BLOCK = 512


class Contexts:
    """A context manager; what it has brought is gone when it is left."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._stack = ExitStack()
        self._work: Workplace | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def localised(self, spec: BuildSpec) -> BuildSpec:
        """*spec* with directories and images of this machine in place of what lies elsewhere.

        Raises NotFound, Unsupported, RegistryError and others.
        """
        more = tuple((name, self._additional(name, v)) for name, v in spec.additional_contexts)
        if more != spec.additional_contexts:
            spec = msgspec.structs.replace(spec, additional_contexts=more)
        context = spec.context
        if not is_remote(context):
            return spec
        if is_repository(spelled_out(context)):
            return msgspec.structs.replace(spec, context=self._repository(spelled_out(context)))
        if context == STDIN:
            return self._unpacked(spec, sys.stdin.buffer)
        with open(self._downloaded(context), "rb") as file:
            return self._unpacked(spec, file)

    def agent(self, keys: tuple[str, ...]) -> str:
        """The socket of an ssh agent that has *keys*, until we are left."""
        from orchestra.ops.agents import agent_with

        return self._stack.enter_context(agent_with(keys, self._directory("agent")))

    def _additional(self, name: str, value: str) -> str:
        if value.startswith(IMAGE_SCHEME):
            return value
        if value.startswith(_LAYOUT):
            return IMAGE_SCHEME + self._layout_image(value.removeprefix(_LAYOUT))
        if is_repository(value):
            return self._repository(value)
        if is_url(value):
            directory = self._directory("context")
            with open(self._downloaded(value), "rb") as file:
                if not _unpack(file, directory):
                    raise Unsupported(f'the additional context "{name}": {value} is no archive')
            return directory
        if "://" in value:
            raise Unsupported(
                f'the additional context "{name}" is {value}, which is not supported',
                fix="give a directory, a git repository, the URL of an archive, "
                "docker-image://IMAGE, oci-layout://DIRECTORY or service:NAME",
            )
        return value

    def _directory(self, name: str) -> str:
        """A new directory, for all to read as those of users are."""
        if self._work is None:
            from orchestra.build.workplace import Workplace

            os.makedirs(self._layout.data_root, 0o700, exist_ok=True)
            self._work = self._stack.enter_context(Workplace(self._layout, "contexts"))
        path = self._work.directory(name)
        os.chmod(path, 0o755)  # noqa: S103 (the directory above is the owner's only)
        return path

    # -- kinds ------------------------------------------------------------------------------------
    def _repository(self, text: str) -> str:
        from orchestra.build.repository import Access, Checkout, inside, parse_repository

        repository = parse_repository(text)
        access = Access(os.environ, is_trusted=True, token=os.environ.get("GIT_AUTH_TOKEN", ""))
        kept = os.path.join(self._layout.builds, "git")
        os.makedirs(self._layout.data_root, 0o700, exist_ok=True)
        checkout = Checkout(repository, access, kept)
        directory = self._directory("git")
        checkout.write(directory)
        return inside(directory, repository.subdir, repository.shown)

    def _downloaded(self, url: str) -> str:
        from orchestra.build.fetch import FetchError, Wanted, fetch

        directory = self._directory("download")
        try:
            name = fetch(Wanted(url), directory, os.path.join(self._layout.builds, "downloads"))
        except FetchError as exc:
            raise NotFound(f"the build context {exc}", fix="correct the URL") from exc
        return os.path.join(directory, name)

    def _unpacked(self, spec: BuildSpec, file: BinaryIO) -> BuildSpec:
        """*spec* with what *file* holds: an archive of a context, or a Dockerfile alone."""
        directory = self._directory("context")
        rest = _Rewound(file)
        if _unpack(rest, directory):
            return msgspec.structs.replace(spec, context=directory)
        text = rest.all().decode("utf-8", "surrogateescape")
        if not text.strip():
            raise NotFound("the build context is empty: neither an archive nor a Dockerfile came")
        inline = spec.dockerfile_inline or text
        return msgspec.structs.replace(
            spec, context=directory, dockerfile="", dockerfile_inline=inline
        )

    def _layout_image(self, text: str) -> str:
        from orchestra.image.layout_directory import load_layout
        from orchestra.image.store import LocalImageStore

        os.makedirs(self._layout.data_root, 0o700, exist_ok=True)
        return load_layout(LocalImageStore(self._layout.images), text)


class _Rewound(io.RawIOBase):
    """*file* whose beginning was looked at; not seekable, for stdin may be a pipe."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._seen = b""

    def peek(self, count: int) -> bytes:
        while len(self._seen) < count and (data := self._file.read(count - len(self._seen))):
            self._seen += data
        return self._seen

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._seen[: view.nbytes]
        self._seen = self._seen[len(data) :]
        data = data or self._file.read(view.nbytes)
        view[: len(data)] = data
        return len(data)

    def all(self) -> bytes:
        return self._seen + self._file.read()


def _unpack(file: BinaryIO | _Rewound, directory: str) -> bool:
    """Unpack the archive *file* into *directory*; False when it is none. Raises RegistryError."""
    from orchestra.image.bytestream import ByteStream
    from orchestra.image.decompress import Limit, compression_of, decompressed
    from orchestra.image.unpack import unpack

    rewound = file if isinstance(file, _Rewound) else _Rewound(file)
    start = rewound.peek(_BLOCK)
    is_packed = compression_of(start) or start.startswith((b"BZh", b"\xfd7zXZ\0"))
    if not is_packed and start[_TAR_MAGIC] != b"ustar":
        return False
    unpack(ByteStream(decompressed(rewound, Limit())), directory)  # type: ignore[arg-type]
    return True
