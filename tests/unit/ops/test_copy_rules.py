"""Where a copy lands: the table of `docker container cp`."""

from __future__ import annotations

import pytest

from orchestra.errors import Conflict, NotFound, OrchestraError
from orchestra.ops.copy_rules import (
    Destination,
    Landing,
    Place,
    Source,
    check_direction,
    in_container,
    landing,
    source_name,
    split_place,
    with_ending,
)

FILE, TREE, CONTENT = Source("a", False), Source("a", True), Source("", True)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("web:/etc", Place("web", "/etc")),
        ("web:", Place("web", "")),
        ("/a:b", Place("", "/a:b")),
        ("./a:b", Place("", "./a:b")),
        ("../a:b", Place("", "../a:b")),
        ("a", Place("", "a")),
        ("-", Place("", "-")),
        ("web:a:b", Place("web", "a:b")),
    ],
)
def test_a_colon_tells_the_service_from_the_path(text: str, place: Place) -> None:
    assert split_place(text) == place


@pytest.mark.parametrize(
    ("source", "path", "exists", "is_directory", "lands"),
    [
        (FILE, "/d/new", False, False, Landing("/d", "new")),
        (FILE, "/d/old", True, False, Landing("/d", "old")),
        (FILE, "/old", True, False, Landing("/", "old")),
        (FILE, "/d", True, True, Landing("/d", "a")),
        (FILE, "/d/", True, True, Landing("/d/", "a")),
        (TREE, "/d/new", False, False, Landing("/d", "new")),
        (TREE, "/d/new/", False, False, Landing("/d", "new")),
        (TREE, "/d", True, True, Landing("/d", "a")),
        (CONTENT, "/d", True, True, Landing("/d", "")),
        (CONTENT, "/d/new", False, False, Landing("/d", "new")),
    ],
)
def test_landings(
    source: Source,
    path: str,
    exists: bool,
    is_directory: bool,
    lands: Landing,
) -> None:
    where = Destination(path, exists=exists, is_directory=is_directory)
    assert landing(source, where) == lands


def test_no_place_for_a_directory_on_a_file() -> None:
    with pytest.raises(Conflict, match="directory to the file /d/old"):
        landing(TREE, Destination("/d/old", exists=True, is_directory=False))


@pytest.mark.parametrize("path", ["/d/new/", "/d/new/."])
def test_no_place_for_a_file_in_a_directory_that_is_not_there(path: str) -> None:
    with pytest.raises(NotFound, match="no such directory"):
        landing(FILE, Destination(path, exists=False, is_directory=False))


def test_paths_in_a_container_are_absolute_and_keep_their_ending() -> None:
    assert in_container("etc") == "/etc"
    assert in_container("") == "/"
    assert in_container("a/../b/") == "/b/"
    assert in_container("//a/.") == "/a/."
    assert in_container("../../etc") == "/etc"
    assert with_ending("/", "/") == "/"


def test_names() -> None:
    assert source_name("/a/b/") == "b"
    assert (source_name("/a/."), source_name("/")) == ("", "")


@pytest.mark.parametrize("service", ["", "web"])
def test_one_side_is_a_service(service: str) -> None:
    with pytest.raises(OrchestraError, match=r"between services|direction"):
        check_direction(Place(service, "/a"), Place(service, "/b"))
