from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchestra.config.files import normalize_name
from orchestra.errors import ConfigError

if TYPE_CHECKING:
    from tests.support.project import ProjectDirectory


SMALL = "services: {web: {image: a}}\n"


def found(project: ProjectDirectory, **request: object) -> list[str]:
    files = project.load("", **request).project.compose_files
    return [os.path.relpath(path, project.path) for path in files]


def test_the_first_known_name_is_taken_with_a_warning_about_the_others(
    project: ProjectDirectory,
) -> None:
    project.write("docker-compose.yml", SMALL)
    project.write("compose.yml", SMALL)
    assert found(project) == ["compose.yml"]
    assert any("multiple config files" in warning for warning in project.load().warnings)


def test_an_override_file_beside_it_is_merged(project: ProjectDirectory) -> None:
    project.write("compose.yaml", SMALL)
    project.write("compose.override.yaml", "services: {web: {image: b}}\n")
    assert found(project) == ["compose.yaml", "compose.override.yaml"]
    assert project.service()["image"] == "b"


def test_parent_directories_are_searched(project: ProjectDirectory) -> None:
    project.write("compose.yaml", SMALL)
    below = os.path.join(project.path, "a", "b")
    os.makedirs(below)
    loaded = project.load("", cwd=below)
    assert loaded.project.working_dir == project.path
    assert loaded.project.name == "demo"


def test_named_files_are_merged_in_order_and_the_first_gives_the_directory(
    project: ProjectDirectory,
) -> None:
    project.write("sub/a.yaml", SMALL)
    project.write("b.yaml", "services: {web: {image: b}}\n")
    assert found(project, files=("sub/a.yaml", "b.yaml")) == ["sub/a.yaml", "b.yaml"]
    loaded = project.load("", files=("sub/a.yaml", "b.yaml"))
    assert (loaded.project.name, loaded.project.services[0].image) == ("sub", "b")


def test_standard_input_is_a_file_called_dash(project: ProjectDirectory) -> None:
    loaded = project.load("", files=("-",), stdin=SMALL)
    assert loaded.project.services[0].image == "a"
    assert project.problems("", files=("-",), stdin="a: b: c")[0].startswith("<stdin>:1:5: ")


def test_compose_file_and_its_separator_come_from_the_environment(
    project: ProjectDirectory,
) -> None:
    project.write("a.yaml", SMALL)
    project.write("b.yaml", "services: {web: {image: b}}\n")
    project.environ["COMPOSE_FILE"] = "a.yaml:b.yaml"
    assert found(project) == ["a.yaml", "b.yaml"]
    project.environ |= {"COMPOSE_FILE": "a.yaml;b.yaml", "COMPOSE_PATH_SEPARATOR": ";"}
    assert found(project) == ["a.yaml", "b.yaml"]


def test_compose_file_may_stand_in_dotenv(project: ProjectDirectory) -> None:
    project.write("a.yaml", SMALL)
    project.write(".env", "COMPOSE_FILE=a.yaml\n")
    assert found(project) == ["a.yaml"]


def test_nothing_found_says_what_was_looked_for_and_where(project: ProjectDirectory) -> None:
    with pytest.raises(ConfigError) as caught:
        project.load()
    assert caught.value.exit_code == 14
    text = str(caught.value)
    assert text.startswith("no configuration file provided: not found")
    assert "looked for compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml" in text
    assert project.path in text
    assert "name the file with -f" in text


def test_a_named_file_that_is_missing_is_told(project: ProjectDirectory) -> None:
    with pytest.raises(ConfigError, match=r"compose file .*/nope.yaml: not found") as caught:
        project.load("", files=("nope.yaml",))
    assert caught.value.exit_code == 14


def test_a_file_that_is_wrong_has_docker_composes_exit_code(project: ProjectDirectory) -> None:
    with pytest.raises(ConfigError) as caught:
        project.load("services: {web: {imge: a}}")
    assert caught.value.exit_code == 15


def test_project_directory_is_the_base_of_relative_paths(project: ProjectDirectory) -> None:
    project.write("sub/compose.yaml", "services: {web: {image: a, volumes: [./x:/x]}}\n")
    loaded = project.load("", files=("sub/compose.yaml",), project_directory="other")
    assert loaded.project.services[0].volumes[0].source == os.path.join(project.path, "other/x")
    assert loaded.project.name == "other"


# -- the project's name -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My App", "myapp"),
        ("_a", "a"),
        ("-a_b-c", "a_b-c"),
        ("1x", "1x"),
        ("é!", ""),
        ("A.B", "ab"),
    ],
)
def test_names_are_normalised_as_docker_compose_does(text: str, name: str) -> None:
    assert normalize_name(text) == name


def test_the_name_is_taken_from_the_flag_then_environment_then_file_then_directory(
    project: ProjectDirectory,
) -> None:
    project.write("compose.yaml", "name: from-file\n" + SMALL)
    assert project.load().project.name == "from-file"
    project.environ["COMPOSE_PROJECT_NAME"] = "from-env"
    assert project.load().project.name == "from-env"
    assert project.load("", project_name="from-flag").project.name == "from-flag"


def test_the_last_files_name_wins_and_is_interpolated(project: ProjectDirectory) -> None:
    project.write("a.yaml", "name: a\n" + SMALL)
    project.write("b.yaml", "name: ${SUFFIX:-My}-App\n")
    assert project.load("", files=("a.yaml", "b.yaml")).project.name == "my-app"


def test_the_name_is_a_variable(project: ProjectDirectory) -> None:
    service = project.service("services: {web: {image: 'a:${COMPOSE_PROJECT_NAME}'}}")
    assert service["image"] == "a:demo"


def test_an_invalid_name_is_refused_with_a_valid_one(project: ProjectDirectory) -> None:
    (problem,) = project.problems(SMALL, project_name="My App")
    assert 'invalid project name "My App"' in problem
    assert 'fix: use "myapp"' in problem


def test_a_directory_without_a_usable_name_is_told(project: ProjectDirectory) -> None:
    project.write("ééé/compose.yaml", SMALL)
    (problem,) = project.problems("", cwd=os.path.join(project.path, "ééé"))
    assert "the project has no name" in problem


# -- variables ----------------------------------------------------------------------------------
def test_the_shell_wins_over_dotenv(project: ProjectDirectory) -> None:
    project.write(".env", "A=file\nB=file\n")
    project.environ["A"] = "shell"
    assert project.service("services: {web: {image: '$A-$B'}}")["image"] == "shell-file"


def test_of_several_env_files_the_last_wins(project: ProjectDirectory) -> None:
    project.write("one.env", "A=1\nB=1\n")
    project.write("two.env", "B=2\n")
    text = "services: {web: {image: '$A-$B'}}"
    assert project.service(text, env_files=("one.env", "two.env"))["image"] == "1-2"
    project.environ["COMPOSE_ENV_FILES"] = "one.env,two.env"
    assert project.service(text)["image"] == "1-2"


def test_dotenv_can_be_switched_off(project: ProjectDirectory) -> None:
    project.write(".env", "A=file\n")
    project.environ["COMPOSE_DISABLE_ENV_FILE"] = "1"
    assert project.service("services: {web: {image: 'a$A'}}")["image"] == "a"


def test_a_missing_env_file_is_told(project: ProjectDirectory) -> None:
    (problem,) = project.problems(SMALL, env_files=("nope.env",))
    assert "environment file nope.env: not found" in problem


def test_dotenv_beside_the_found_file_is_read_too(project: ProjectDirectory) -> None:
    project.write("compose.yaml", "services: {web: {image: 'a:$TAG'}}\n")
    project.write(".env", "TAG=x\n")
    below = os.path.join(project.path, "sub")
    os.makedirs(below)
    assert project.service("", cwd=below)["image"] == "a:x"


def test_bytes_of_the_environment_that_are_no_text_are_marked(project: ProjectDirectory) -> None:
    project.write("compose.yaml", "services: {web: {image: a, hostname: $RAW}}\n")
    service = project.service(environ={"RAW": "a\udcffb"})
    assert service["hostname"] == "a\ufffdb"


def test_a_directory_whose_name_is_no_text_is_refused(project: ProjectDirectory) -> None:
    folder = os.path.join(project.path, "d\udcff")
    os.makedirs(folder)
    with open(os.path.join(folder, "compose.yaml"), "w", encoding="utf-8") as file:
        file.write(SMALL)
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        project.load("", cwd=folder)
