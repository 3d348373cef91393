"""Who a container runs as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.runtime.users import User, UserError, find_user

PASSWD = """# comment
root:x:0:0:root:/root:/bin/sh
app:x:1000:1001::/home/app:/bin/sh

app:x:2000:2000::/second:/bin/sh
1234:x:77:77::/number:/bin/sh
short:x:5
"""
GROUP = """root:x:0:
users:x:100:app,other
staff:x:50:other
app:x:1001:
video:x:44:app
"""


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("", User(0, 0, (0,), "/root")),
        ("root", User(0, 0, (0,), "/root")),
        ("app", User(1000, 1001, (1001, 100, 44), "/home/app")),
        ("1000", User(1000, 1001, (1001, 100, 44), "/home/app")),
        ("app:staff", User(1000, 50, (50,), "/home/app")),
        ("app:7", User(1000, 7, (7,), "/home/app")),
        ("4242", User(4242, 0, (0,), "")),
        ("4242:4243", User(4242, 4243, (4243,), "")),
        ("1234", User(1234, 0, (0,), "")),
        ("short", User(5, 0, (0,), "")),
    ],
)
def test_a_user_is_looked_up_as_docker_does(user: str, expected: User) -> None:
    assert find_user(user, (), PASSWD, GROUP) == expected


def test_added_groups_come_after_the_users_own() -> None:
    assert find_user("app", ("staff", "9"), PASSWD, GROUP).groups == (1001, 100, 44, 50, 9)


@pytest.mark.parametrize("user", ["bob", "app:nobody", "-1", "99999999999", "app:4294967295"])
def test_an_unknown_user_or_group_is_an_error(user: str) -> None:
    with pytest.raises(UserError):
        find_user(user, (), PASSWD, GROUP)


def test_an_unknown_added_group_is_an_error() -> None:
    with pytest.raises(UserError, match="nobody"):
        find_user("app", ("nobody",), PASSWD, GROUP)


def test_without_files_root_and_numbers_work() -> None:
    assert find_user("", (), "", "") == User(0, 0, (0,), "")
    assert find_user("5:6", (), "", "") == User(5, 6, (6,), "")


@given(st.text(), st.text(), st.text())
def test_no_file_makes_it_raise_anything_else(user: str, passwd: str, group: str) -> None:
    try:
        found = find_user(user, (), passwd, group)
    except UserError:
        return
    assert isinstance(found.uid, int)
