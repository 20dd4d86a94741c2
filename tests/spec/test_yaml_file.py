from __future__ import annotations

import ast
import os
import time
from pathlib import Path

import pytest

import cbablate
from cbablate.spec.yaml import yaml_file
from cbablate.spec.yaml.text_file import MAX_BYTES, Unreadable, read_text
from cbablate.spec.yaml.tree import FilePlace, MapNode, TextNode, plain, walk
from cbablate.spec.yaml.yaml_file import read_yaml


def tree(folder: Path, text: str | bytes) -> MapNode:
    path = folder / "x.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    file = read_yaml(path)
    assert not file.flaws
    return file.root


def refusal(folder: Path, text: str | bytes) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        tree(folder, text)
    return caught.value


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_byte_order_marks_and_line_ends_move_no_place(
    tmp_path: Path, ends: str, mark: bytes
) -> None:
    root = tree(tmp_path, mark + f"a: 1{ends}b: [x, y]{ends}".encode())
    assert plain(root) == {"a": 1, "b": ["x", "y"]}
    assert walk(root, ("b", 1)).node.place == FilePlace(2, 8)
    assert walk(root, ("a",)).key == FilePlace(1, 1)


def test_quotes_and_blocks_make_text(tmp_path: Path) -> None:
    root = tree(tmp_path, "a: '1'\nb: \"true\"\nc: |\n  3\nd: >-\n  4\ne: 5\n")
    assert plain(root) == {"a": "1", "b": "true", "c": "3\n", "d": "4", "e": 5}


def test_an_alias_stands_for_what_its_anchor_names(tmp_path: Path) -> None:
    root = tree(tmp_path, "a: &x {b: 1}\nc: [*x, *x]\n")
    assert plain(root) == {"a": {"b": 1}, "c": [{"b": 1}, {"b": 1}]}


def test_json_is_yaml(tmp_path: Path) -> None:
    assert plain(tree(tmp_path, '{"a": [1, 2.5, "x", null, true]}')) == {
        "a": [1, 2.5, "x", None, True]
    }


def test_comments_markers_and_a_version_are_let_pass(tmp_path: Path) -> None:
    assert plain(tree(tmp_path, "%YAML 1.2\n---\n# why\na: 1 # one\n...\n")) == {"a": 1}


def test_characters_of_any_script_are_let_pass_in_values(tmp_path: Path) -> None:
    text = "Größe \u2013 “x” 中文 عربى 👩\u200d🔬"
    assert plain(tree(tmp_path, f"a: {text}\n")) == {"a": text}


def test_all_that_can_be_read_past_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: 1\na: 2\n3: 4\n<<: {b: 1}\nc: !t x\nd: *no\n")
    assert [flaw.place for flaw in read_yaml(path).flaws] == [
        FilePlace(2, 1),
        FilePlace(3, 1),
        FilePlace(4, 1),
        FilePlace(5, 4),
        FilePlace(6, 4),
    ]


def test_values_are_counted_before_memory_is_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert yaml_file.MAX_NODES == 50_000
    monkeypatch.setattr(yaml_file, "MAX_NODES", 500)
    assert len(tree(tmp_path, "a: [" + ",".join(["1"] * 497) + "]\n").entries) == 1
    error = refusal(tmp_path, "a: [" + ",".join(["1"] * 498) + "]\n")
    assert error.flaws[0].sentence == "more than 500 values, aliases counted as written out"


def test_a_bomb_of_aliases_is_refused_at_once(tmp_path: Path) -> None:
    lines = [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 90)]
    began = time.process_time()
    error = refusal(tmp_path, "a0: &a0 [x, x]\n" + "\n".join(lines))
    assert time.process_time() - began < 2
    assert "more than" in error.flaws[0].sentence


def test_aliases_do_not_hide_depth(tmp_path: Path) -> None:
    lines = [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 50)]
    error = refusal(tmp_path, "a0: &a0 [x]\n" + "\n".join(lines))
    assert error.flaws[0].sentence == "more than 32 levels of nesting"


def test_thousands_of_brackets_end_in_a_sentence(tmp_path: Path) -> None:
    assert "levels of nesting" in refusal(tmp_path, "a: " + "[" * 3000).flaws[0].sentence


def test_what_is_too_long_is_not_read(tmp_path: Path) -> None:
    assert "more than 1,048,576 bytes" in str(refusal(tmp_path, b"#" * (MAX_BYTES + 1)))


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (tmp_path / "pipe.yaml", Path("/dev/zero")):
        with pytest.raises(Unreadable, match="is no regular file"):
            read_text(path)
    with pytest.raises(Unreadable, match="is a folder"):
        read_text(tmp_path)


@pytest.mark.parametrize("name", ["a\0b.yaml", "x" * 5000])
def test_names_that_no_file_can_have_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unreadable, match="cannot be read: "):
        read_text(tmp_path / name)


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("placment.yaml", "did you mean 'placement.yaml'?"),
        ("other.yaml", "there are placement.yaml, size.yaml"),
        ("no/such.yaml", "there is no folder"),
    ],
)
def test_a_missing_file_is_answered_with_its_neighbours(
    tmp_path: Path, asked: str, hint: str
) -> None:
    (tmp_path / "placement.yaml").touch()
    (tmp_path / "size.yaml").touch()
    with pytest.raises(Unreadable, match="no such file") as caught:
        read_text(tmp_path / asked)
    assert hint in caught.value.hint


def test_a_missing_file_in_an_empty_folder_is_answered_too(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        read_text(tmp_path / "x.yaml")
    assert "there is no YAML file in" in caught.value.hint


def test_a_tagged_value_is_not_judged_further(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: !!python/object/apply:os.system [x]\nb: !x y\n")
    file = read_yaml(path)
    assert "asks for Python code" in file.flaws[0].sentence
    assert all(isinstance(e.node, TextNode) and e.node.broken for e in file.root.entries.values())


def test_a_key_is_as_long_as_a_person_would_write_it(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"? {'k' * 300}\n: 1\n")
    assert read_yaml(path).flaws[0].sentence == "a key of 300 characters; at most 200 are read"


@pytest.mark.slow
def test_one_module_imports_yaml() -> None:
    room = Path(cbablate.__file__).parent
    importing = [
        path.name
        for path in room.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(n.name.startswith("yaml") for n in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "yaml")
    ]
    assert importing == ["yaml_file.py"]
