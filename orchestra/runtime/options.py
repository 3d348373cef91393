"""What security_opt says. Free of the model."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def refusal(options: tuple[str, ...], *, has_apparmor: bool, has_selinux: bool) -> str:
    """Why these security options cannot be obeyed, as a sentence; "" when they can.

    What has no meaning on this host is left out, as with Docker; what would have one and is not
    done must not be passed over in silence.
    """
    for option in options:
        name, _, value = option.replace("=", ":", 1).partition(":")
        if name not in _KNOWN:
            return f'"{option}" is no security option'
        if name == "apparmor" and has_apparmor and value != "unconfined":
            return f'the AppArmor profile "{value}" cannot be applied'
        if name == "label" and has_selinux and value != "disable":
            return f'the SELinux label "{value}" cannot be applied'
    return ""


_KNOWN = frozenset({"no-new-privileges", "seccomp", "systempaths", "apparmor", "label"})


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
