"""Logins where `docker login` keeps them: inline, by helper, damaged, and never shown."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import AuthRequired, ConfigError, NotFound
from orchestra.registry.credentials import HUB_KEY, Credential, Credentials, Secret

if TYPE_CHECKING:
    from pathlib import Path

    Environ = dict[str, str]

HELPER = """#!/bin/sh
case "$1" in
get) read -r key; test -f "$0.$key" || { echo "credentials not found in native keychain"; exit 1; }
     cat "$0.$key";;
store) cat > "$0.stored";;
erase) read -r key; rm -f "$0.$key";;
esac
"""


def text_of(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def environ(tmp_path: Path) -> Environ:
    return {"HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}


def write_config(environ: Environ, config: object) -> str:
    directory = os.path.join(environ["HOME"], ".docker")
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, "config.json")
    with open(path, "w") as file:
        json.dump(config, file)
    return path


def install_helper(environ: Environ, script: str = HELPER) -> str:
    path = os.path.join(environ["HOME"], "docker-credential-test")
    with open(path, "w") as file:
        file.write(script)
    os.chmod(path, 0o755)
    return path


def found(environ: Environ, domain: str) -> tuple[str, str, str] | None:
    credential = Credentials(environ).find(domain)
    if credential is None:
        return None
    return credential.username, credential.password.reveal(), credential.identity_token.reveal()


def test_without_a_file_there_is_no_login(environ: Environ) -> None:
    assert found(environ, "docker.io") is None


@pytest.mark.parametrize(
    ("key", "domain"),
    [
        (HUB_KEY, "docker.io"),
        ("index.docker.io", "docker.io"),
        ("host:5000", "host:5000"),
        ("https://host:5000", "host:5000"),
        ("https://host:5000/v2/", "host:5000"),
        ("http://host:5000/v1/", "host:5000"),
    ],
)
def test_old_and_new_spellings_of_a_registry_are_found(
    environ: Environ, key: str, domain: str
) -> None:
    write_config(environ, {"auths": {key: {"auth": text_of("ada", "a:b")}}})
    assert found(environ, domain) == ("ada", "a:b", "")
    assert found(environ, "other:5000") is None


def test_docker_config_moves_the_file(environ: Environ, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "config.json").write_text(
        json.dumps({"auths": {"h:1": {"auth": text_of("u", "p")}}})
    )
    assert found({**environ, "DOCKER_CONFIG": str(tmp_path / "elsewhere")}, "h:1") == ("u", "p", "")


def test_an_identity_token_comes_with_the_entry(environ: Environ) -> None:
    entry = {"auth": text_of("ada", ""), "identitytoken": "tok"}
    write_config(environ, {"auths": {"h:1": entry, "h:2": {"identitytoken": "only"}}})
    assert found(environ, "h:1") == ("ada", "", "tok")
    assert found(environ, "h:2") == ("<token>", "", "only")


def test_an_entry_without_login_is_none(environ: Environ) -> None:
    write_config(environ, {"auths": {"h:1": {}}})
    assert found(environ, "h:1") is None


@pytest.mark.parametrize("config", [{"credsStore": "test"}, {"credHelpers": {"h:1": "test"}}])
def test_a_helper_is_asked(environ: Environ, config: dict[str, object]) -> None:
    helper = install_helper(environ)
    with open(f"{helper}.h:1", "w") as file:
        json.dump({"ServerURL": "h:1", "Username": "ada", "Secret": "s3cret"}, file)
    write_config(environ, {**config, "auths": {"h:1": {}}})
    assert found(environ, "h:1") == ("ada", "s3cret", "")
    assert found(environ, "h:2") is None


def test_a_helper_may_keep_a_token(environ: Environ) -> None:
    helper = install_helper(environ)
    with open(f"{helper}.h:1", "w") as file:
        json.dump({"Username": "<token>", "Secret": "tok"}, file)
    write_config(environ, {"credsStore": "test"})
    assert found(environ, "h:1") == ("<token>", "", "tok")


def test_a_missing_helper_is_named(environ: Environ) -> None:
    write_config(environ, {"credsStore": "absent"})
    with pytest.raises(NotFound, match="docker-credential-absent is not installed"):
        found(environ, "h:1")


@pytest.mark.parametrize(
    "script", ["#!/bin/sh\necho s3cret >&2; exit 3", "#!/bin/sh\necho s3cret", "#!/bin/sh\necho []"]
)
def test_a_failing_helper_is_told_without_what_it_says(environ: Environ, script: str) -> None:
    install_helper(environ, script)
    write_config(environ, {"credsStore": "test"})
    with pytest.raises(AuthRequired) as caught:
        found(environ, "h:1")
    assert "s3cret" not in str(caught.value)


def test_a_helper_is_a_name_and_no_path(environ: Environ) -> None:
    write_config(environ, {"credsStore": "../../evil"})
    with pytest.raises(ConfigError, match="no name of a credential helper"):
        found(environ, "h:1")


def test_a_login_is_kept_for_its_owner_and_leaves_the_rest(environ: Environ) -> None:
    path = write_config(environ, {"proxies": {"default": {}}, "auths": {"h:2": {"auth": "eDp5"}}})
    where = Credentials(environ).store("docker.io", Credential("ada", Secret("pw")))
    assert where == path
    with open(path) as file:
        config = json.load(file)
    assert config == {
        "proxies": {"default": {}},
        "auths": {"h:2": {"auth": "eDp5"}, HUB_KEY: {"auth": text_of("ada", "pw")}},
    }
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert found(environ, "docker.io") == ("ada", "pw", "")


def test_a_helper_keeps_the_login_and_the_file_only_its_name(environ: Environ) -> None:
    helper = install_helper(environ)
    path = write_config(environ, {"credsStore": "test"})
    Credentials(environ).store("h:1", Credential("ada", Secret("pw")))
    with open(f"{helper}.stored") as file:
        assert json.load(file) == {"ServerURL": "h:1", "Username": "ada", "Secret": "pw"}
    with open(path) as file:
        assert json.load(file) == {"credsStore": "test", "auths": {"h:1": {}}}


def test_logging_out_forgets_every_spelling(environ: Environ) -> None:
    entry = {"auth": text_of("u", "p")}
    write_config(environ, {"auths": {"h:1": entry, "https://h:1/v2/": entry, "h:2": entry}})
    assert Credentials(environ).erase("h:1")
    assert found(environ, "h:1") is None
    assert found(environ, "h:2") == ("u", "p", "")
    assert not Credentials(environ).erase("h:1")


def test_logging_out_tells_the_helper(environ: Environ) -> None:
    helper = install_helper(environ)
    with open(f"{helper}.h:1", "w") as file:
        json.dump({"Username": "ada", "Secret": "s3cret"}, file)
    write_config(environ, {"credsStore": "test"})
    assert Credentials(environ).erase("h:1")
    assert not Credentials(environ).erase("h:1")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "[" * 100_000, '{"auths": {"h:1": {"auth": "%"}}}']
)
def test_a_damaged_file_is_named(environ: Environ, content: str) -> None:
    path = write_config(environ, {})
    with open(path, "w") as file:
        file.write(content)
    with pytest.raises(ConfigError, match=r"config\.json"):
        found(environ, "h:1")


def test_secrets_show_themselves_to_nobody() -> None:
    credential = Credential("ada", Secret("pw1"), Secret("tok1"))
    for shown in (
        repr(credential),
        str(credential),
        f"{credential.password}",
    ):
        assert "pw1" not in shown
        assert "tok1" not in shown
    assert credential.basic() == "Basic " + text_of("ada", "pw1")
