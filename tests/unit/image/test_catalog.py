from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchestra.image.catalog import Catalog, ImageRow, NameRow

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = "docker.io/library/app"
ONE, TWO = ImageRow("sha256:" + "1" * 64, "m1", 10), ImageRow("sha256:" + "2" * 64, "m2", 20)


def tag(name: str, image: ImageRow, target: str = "") -> NameRow:
    return NameRow(REPOSITORY, name, target, image.id)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(str(tmp_path / "store" / "images.db"))


def test_reading_a_catalog_that_is_not_there_makes_none(catalog: Catalog, tmp_path: Path) -> None:
    assert catalog.images() == ()
    assert catalog.names() == ()
    assert catalog.tagged(REPOSITORY, "1") is None
    assert os.listdir(tmp_path) == []


def test_a_tag_moves_to_the_image_that_was_registered_last(catalog: Catalog) -> None:
    catalog.register(ONE, (tag("1", ONE, "d1"),))
    catalog.register(TWO, (tag("1", TWO, "d2"),))

    assert catalog.tagged(REPOSITORY, "1") == tag("1", TWO, "d2")
    assert catalog.names(ONE.id) == ()
    assert catalog.images() == (TWO, ONE)


def test_a_digest_is_a_name_of_its_own(catalog: Catalog) -> None:
    catalog.register(ONE, (tag("", ONE, "d1"), tag("1", ONE, "d1")))

    assert catalog.digested(REPOSITORY, "d1") == tag("", ONE, "d1")
    assert catalog.tagged(REPOSITORY, "") is None
    assert catalog.tagged(REPOSITORY, "1") == tag("1", ONE, "d1")


def test_a_name_is_not_taken_from_the_image_that_has_it_by_now(catalog: Catalog) -> None:
    catalog.register(ONE, (tag("1", ONE),))
    catalog.register(TWO, (tag("1", TWO),))

    assert not catalog.untag(tag("1", ONE))
    assert catalog.untag(tag("1", TWO))
    assert not catalog.untag(tag("1", TWO))


def test_an_image_that_is_gone_gets_no_names(catalog: Catalog) -> None:
    catalog.register(ONE, (tag("1", ONE),))
    catalog.forget(ONE.id)

    assert not catalog.tag(tag("2", ONE))
    assert catalog.names() == ()


def test_when_a_name_was_compared_is_remembered_for_it_alone(catalog: Catalog) -> None:
    catalog.register(ONE, (tag("1", ONE, "d1"), tag("2", ONE, "d1")))

    catalog.confirm(tag("1", ONE, "d1"), 99)

    assert [name.checked_ns for name in catalog.names()] == [99, 0]


def test_ids_are_found_by_their_beginning(catalog: Catalog) -> None:
    catalog.register(ONE, ())
    catalog.register(TWO, ())

    assert catalog.ids_beginning("sha256:1") == (ONE.id,)
    assert len(catalog.ids_beginning("sha256:")) == 2
    assert catalog.ids_beginning("sha256:%") == ()
