from __future__ import annotations

import pytest

from orchestra.config.document import read_documents
from orchestra.config.tree import TreeSources, plain
from orchestra.errors import ConfigError


def read(text: str) -> object:
    return plain(next(iter(read_documents(text.encode(), "f.yaml"))).tree)


def fault(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        list(read_documents(text.encode(), "f.yaml"))
    return str(caught.value)


def test_scalars_follow_yaml_1_2_as_docker_compose_reads_them() -> None:
    text = (
        "a: yes\nb: 22:22\nc: 0o17\nd: 017\ne: 1_000\nf: 0x1F\ng: ~\nh: '5'\ni: 1.5\nj: 2001-01-01"
    )
    assert read(text) == {
        "a": "yes",
        "b": "22:22",
        "c": 15,
        "d": 15,
        "e": 1000,
        "f": 31,
        "g": None,
        "h": "5",
        "i": 1.5,
        "j": "2001-01-01",
    }


def test_every_key_and_value_has_its_place() -> None:
    document = next(iter(read_documents(b"a:\n  b: [x, y]\n", "f.yaml")))
    sources = TreeSources(document.tree)
    assert str(sources.key(("a", "b"))) == "f.yaml:2:3"
    assert str(sources.value(("a", "b"))) == "f.yaml:2:6"
    assert str(sources.value(("a", "b", 1))) == "f.yaml:2:10"


def test_a_place_that_is_not_written_is_its_parents() -> None:
    document = next(iter(read_documents(b"a:\n  b: 1\n", "f.yaml")))
    assert str(TreeSources(document.tree).value(("a", "c", 0))) == "f.yaml:2:3"


def test_a_key_written_twice_is_an_error_at_the_second() -> None:
    assert fault("a: 1\nb:\n  c: 1\n  c: 2\n").startswith(
        'f.yaml:4:3: "c" is written twice; first at line 3'
    )


def test_merge_keys_give_way_to_what_is_written() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  c: 3\n"
    assert read(text) == {
        "x": {"a": 1, "b": 1},
        "y": {"b": 2, "c": 2},
        "z": {"a": 1, "b": 1, "c": 3},
    }


def test_a_merge_key_takes_mappings_only() -> None:
    assert "<< takes a mapping" in fault("x: &x [1]\nz: {<<: [*x]}\n")


def test_an_alias_that_contains_itself_is_refused() -> None:
    assert "an alias contains itself" in fault("a: &a\n  b: *a\n")


def test_an_alias_bomb_is_refused_before_it_explodes() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "aliases expand to too large a document" in fault("\n".join(lines))


def test_depth_is_bounded() -> None:
    assert "f.yaml" in fault("a: " + "[" * 500 + "]" * 500)
    assert "f.yaml" in fault("a: " + "[" * 20000)


def test_keys_are_strings() -> None:
    assert fault("1: a\n").startswith("f.yaml:1:1: the key 1 is not a string")
    assert "not a mapping" in fault("{a: 1}: b\n") or "must be a string" in fault("{a: 1}: b\n")


def test_the_top_is_a_mapping() -> None:
    assert fault("- a\n").startswith("f.yaml:1:1: a compose file is a mapping, this is a list")


def test_reset_and_override_are_remembered_by_path() -> None:
    (document,) = read_documents(b"a: {b: !reset null, c: !override [x]}\n", "f.yaml")
    assert document.resets == (("a", "b"), ("a", "c"))
    assert plain(document.tree) == {"a": {"c": ["x"]}}


def test_other_tags_are_refused() -> None:
    assert "unknown tag !foo" in fault("a: !foo 1\n")


def test_several_documents_are_read_and_empty_ones_left_out() -> None:
    documents = list(read_documents(b"---\na: 1\n---\n---\nb: 2\n", "f.yaml"))
    assert [plain(document.tree) for document in documents] == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("text", "place"),
    [("a: [\n", "f.yaml:2:1"), ("a:\n\tb: 1\n", "f.yaml:2:1"), ("a: b: c\n", "f.yaml:1:5")],
)
def test_broken_yaml_is_told_with_its_place(text: str, place: str) -> None:
    assert fault(text).startswith(f"{place}: not valid YAML: ")


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(ConfigError, match="not valid YAML"):
        list(read_documents(b"a: \xff\xfe\xfa\n", "f.yaml"))


def test_a_number_longer_than_any_attribute_holds_is_text() -> None:
    assert read("a: " + "9" * 5000) == {"a": "9" * 5000}
    assert read("a: 0x" + "f" * 5000) == {"a": "0x" + "f" * 5000}


def test_long_texts_are_no_bombs_either() -> None:
    aliases = ", ".join(["*a"] * 20_000)
    assert "aliases expand to too large" in fault(f"x-a: &a {'l' * 20_000}\nx-b: [{aliases}]\n")


@pytest.mark.parametrize("text", ["x: " + "[" * 100_000, "x: " + "{a: " * 100_000, "? " * 100_000])
def test_deep_nesting_is_refused_before_the_composer_sees_it(text: str) -> None:
    assert "nested too deeply" in fault(text)


def test_many_brackets_that_are_not_nested_are_no_depth() -> None:
    assert read("x: [" + "[], " * 10_000 + "]") == {"x": [[]] * 10_000}
