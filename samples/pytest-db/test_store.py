"""Run with `pytest`, once orchestra[pytest] is installed: the database comes and goes with it."""

import pytest
from store import Store


@pytest.fixture
def store(compose_project):
    store = Store(*compose_project["db"].port(7000))
    yield store
    store.close()


@pytest.mark.compose(scope="module")
class TestShared:
    """One database for all tests of this module that ask for the same one."""

    def test_what_is_set_is_kept(self, store):
        store.set("colour", "deep blue")
        assert store.get("colour") == "deep blue"

    def test_it_is_the_same_database(self, store):
        assert store.get("colour") == "deep blue"


def test_a_database_of_its_own(store):
    assert store.ask("KEYS") == "greeting"


@pytest.mark.compose(env={"GREETING": "good evening"})
def test_the_compose_file_sees_the_environment(store):
    assert store.get("greeting") == "good evening"


def test_a_restart_forgets(store, compose_project):
    store.set("colour", "red")
    compose_project["db"].restart(timeout=1)
    compose_project["db"].wait_healthy()
    again = Store(*compose_project["db"].port(7000))
    assert again.get("colour") == ""
    again.close()
