"""Who a container runs as: "user:group" looked up in the text of its /etc/passwd and /etc/group.

Pure: the caller reads the files. The rules are those of `docker run --user`: a number is always an
id and need not be listed; a name must be; the first matching line wins; supplementary groups come
from the group file only when no group was given. passwd(5), group(5).
"""

from __future__ import annotations

from orchestra.named import NamedTuple

MAX_ID = (1 << 31) - 1


class UserError(ValueError):
    """The user or group that was asked for does not exist; the text is a sentence."""


class User(NamedTuple):
    """What setuid(2), setgid(2) and setgroups(2) are given; *home* is "" when unknown."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str


def find_user(user: str, group_add: tuple[str, ...], passwd: str, group: str) -> User:
    """The User for *user* ("", "name", "uid", "name:group", …). Raises UserError."""
    name, _, group_name = user.partition(":")
    entry = _passwd_entry(name or "0", passwd)
    uid, gid, home, login = 0, 0, "", ""
    if entry is not None:
        login, uid, gid, home = entry
    elif (number := _number(name)) is not None:
        uid = number
    elif name:
        raise UserError(f'user "{name}" is not in the image\'s /etc/passwd')
    groups: tuple[int, ...] = ()
    if group_name:
        gid = _group_id(group_name, group)
    elif login:
        groups = tuple(entry_gid for _, entry_gid, members in _groups(group) if login in members)
    added = tuple(_group_id(wanted, group) for wanted in group_add)
    return User(uid, gid, tuple(dict.fromkeys((gid, *groups, *added))), home)


def _passwd_entry(name: str, passwd: str) -> tuple[str, int, int, str] | None:
    wanted = _number(name)
    for fields in _lines(passwd):
        uid = _field_number(fields, 2)
        if (uid == wanted) if wanted is not None else (fields[0] == name):
            home = fields[5] if len(fields) > 5 else ""
            return fields[0], uid, _field_number(fields, 3), home
    return None


def _group_id(name: str, group: str) -> int:
    number = _number(name)
    if number is not None:
        return number
    for entry_name, gid, _ in _groups(group):
        if entry_name == name:
            return gid
    raise UserError(f'group "{name}" is not in the image\'s /etc/group')


def _groups(group: str) -> list[tuple[str, int, tuple[str, ...]]]:
    return [
        (fields[0], _field_number(fields, 2), tuple(fields[3].split(",")) if fields[3:] else ())
        for fields in _lines(group)
    ]


def _lines(text: str) -> list[list[str]]:
    lines = (line.strip() for line in text.splitlines())
    return [line.split(":") for line in lines if line and not line.startswith("#")]


def _field_number(fields: list[str], index: int) -> int:
    """A malformed number reads as 0, as with Docker."""
    try:
        return int(fields[index])
    except (IndexError, ValueError):
        return 0


def _number(text: str) -> int | None:
    """*text* as an id, None when it is a name. Raises UserError when it is out of range."""
    try:
        number = int(text)
    except ValueError:
        return None
    if not 0 <= number <= MAX_ID:
        raise UserError(f"{text} is no user or group id: it must be from 0 to {MAX_ID}")
    return number
