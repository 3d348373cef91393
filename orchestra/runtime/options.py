"""What security_opt says, and the seccomp filter ready to install. Free of the model."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def has_no_new_privs(options: tuple[str, ...]) -> bool:
    """Is "no-new-privileges" (":true", "=true") among the security options?"""
    return any(_is_no_new_privs(option) for option in options)


def _is_no_new_privs(option: str) -> bool:
    name, _, value = option.replace("=", ":").partition(":")
    return name == "no-new-privileges" and value in ("", "true")


def seccomp_installer(program: bytes | None) -> Callable[[], None] | None:
    """A call that installs *program*, imported here, before any fork; None without a filter."""
    if program is None:
        return None
    from orchestra.linux.seccomp import install  # an unconfined container does not pay for it

    return functools.partial(install, program)
