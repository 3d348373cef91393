"""Every sample is a project that loads; those that cannot run yet say what is missing."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.markdown import ROOT

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

SAMPLES = sorted(os.listdir(f"{ROOT}/samples"))


def copied(orchestra: Orchestra, name: str) -> Orchestra:
    directory = os.path.join(orchestra.directory, name)
    shutil.copytree(f"{ROOT}/samples/{name}", directory)
    return orchestra.at(directory)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_a_valid_project(name: str, orchestra: Orchestra) -> None:
    assert copied(orchestra, name)("config", "-q").err == ""


@pytest.mark.parametrize("name", SAMPLES)
def test_the_readme_lists_the_sample(name: str) -> None:
    with open(f"{ROOT}/README.md", encoding="utf-8") as file:
        assert f"`samples/{name}`" in file.read()


def test_visits_says_which_image_is_missing(orchestra: Orchestra) -> None:
    visits = copied(orchestra, "visits")
    result = visits("up", "-d", code=17)
    assert "Dockerfile:1:1: python:3.12-alpine" in result.err
    assert "fix:" in result.err
    assert visits("ps", "-a", "-q").out == ""
