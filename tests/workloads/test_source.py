"""Which code of a user's is a workload's version, and what does not change it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from cbablate.spec.code import Code
from cbablate.workloads.catalog import describe
from cbablate.workloads.own_code import source
from cbablate.workloads.own_code.source import code_of
from cbablate.workloads.own_code.syntax_digest import syntax_digest
from tests.workloads.own_code import command, project, train, version

CORE = "def step(lr):\n    return 2 * lr\n"
OTHER = "def step(lr):\n    return 3 * lr\n"
LAYOUTS = {
    "relative import in a package's init": (
        {"mylib/__init__.py": "from .core import step\n", "mylib/core.py": CORE},
        "from mylib import step",
        "mylib/core.py",
    ),
    "the init of a parent": (
        {"mylib/__init__.py": CORE, "mylib/other.py": "A = 1\n"},
        "import mylib.other",
        "mylib/__init__.py",
    ),
    "a submodule under another name": (
        {"mylib/__init__.py": "", "mylib/core.py": CORE},
        "import mylib.core as c",
        "mylib/core.py",
    ),
    "a submodule by from": (
        {"mylib/__init__.py": "", "mylib/core.py": CORE},
        "from mylib import core",
        "mylib/core.py",
    ),
    "star": ({"core.py": CORE}, "from core import *", "core.py"),
    "star over submodules": (
        {"mylib/__init__.py": "__all__ = ['core']\n", "mylib/core.py": CORE},
        "from mylib import *",
        "mylib/core.py",
    ),
    "a namespace package": (
        {"mylib/sub/core.py": CORE},
        "import mylib.sub.core",
        "mylib/sub/core.py",
    ),
    "a parent's sibling": (
        {
            "mylib/__init__.py": "",
            "mylib/a/__init__.py": "from ..b.core import step\n",
            "mylib/b/__init__.py": "",
            "mylib/b/core.py": CORE,
        },
        "import mylib.a",
        "mylib/b/core.py",
    ),
    "under a condition": (
        {"core.py": CORE},
        "try:\n    import core\nexcept ImportError:\n    pass",
        "core.py",
    ),
    "in a function": ({"core.py": CORE}, "def late():\n    import core\n", "core.py"),
    "by a literal name": (
        {"core.py": CORE},
        "import importlib\ncore = importlib.import_module('core')",
        "core.py",
    ),
    "by a literal relative name": (
        {
            "mylib/__init__.py": "import importlib\nimportlib.import_module('.core', __name__)\n",
            "mylib/core.py": CORE,
        },
        "import mylib",
        "mylib/core.py",
    ),
    "by dunder import": ({"core.py": CORE}, "core = __import__('core')", "core.py"),
    "in a circle": (
        {"a.py": "import b\n", "b.py": "import a\nimport core\n", "core.py": CORE},
        "import a",
        "core.py",
    ),
    "a file that does not parse": ({"core.py": "x = (\n"}, "import core", "core.py"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_edit_of_anything_that_is_imported_is_another_version(
    layout: str, tmp_path: Path
) -> None:
    files, imports, edited = LAYOUTS[layout]
    project(tmp_path, {"wl.py": train(imports), **files})
    before = version(tmp_path)
    (tmp_path / edited).write_text(OTHER)
    assert version(tmp_path) != before


def test_an_edit_of_what_is_not_imported_is_none(tmp_path: Path) -> None:
    project(tmp_path, {"wl.py": train("import core"), "core.py": CORE, "other.py": CORE})
    before = version(tmp_path)
    (tmp_path / "other.py").write_text(OTHER)
    (tmp_path / "core").mkdir()  # a folder without __init__ comes after a file
    (tmp_path / "core" / "more.py").write_text(OTHER)
    assert version(tmp_path) == before


def test_a_workload_in_a_package_counts_with_its_relative_imports(tmp_path: Path) -> None:
    files = {"mylib/train.py": train("from .core import step"), "mylib/core.py": CORE}
    project(tmp_path, files)
    before = version(tmp_path, "mylib.train:train")
    (tmp_path / "mylib" / "core.py").write_text(OTHER)
    after = version(tmp_path, "mylib.train:train")
    assert after != before
    (tmp_path / "mylib" / "__init__.py").write_text("A = 1\n")
    assert version(tmp_path, "mylib.train:train") != after


@pytest.mark.parametrize(
    "same",
    [
        CORE.replace("2 * lr", "2  *  lr"),
        f"# a comment\n\n\n{CORE}",
        f"\ufeff{CORE}",
        CORE.replace("\n", "\r\n"),
        CORE.replace("2 * lr", "(2 * lr)  # why"),
        f"# -*- coding: utf-8 -*-\n{CORE}",
    ],
)
def test_spaces_comments_and_line_ends_are_no_code(same: str) -> None:
    assert syntax_digest(same.encode()) == syntax_digest(CORE.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = True"),
        ("x = 1", "x = 1.0"),
        ("x = 0.0", "x = -0.0"),
        ("x = 'a'", "x = b'a'"),
        ("x = ...", "x = 'Ellipsis'"),
        ("x = None", "x = 'None'"),
        ("x = [None]", "x = []"),
        ("x = {**a}", "x = {a: a}"),
        ("x = 1j", "x = 1"),
        ("x = (a, b)", "x = [a, b]"),
        ("a < b < c", "(a < b) < c"),
        ("f(x for x in y)", "f([x for x in y])"),
        ("from a import b", "from .a import b"),
        ("def f(*, a, b=1): pass", "def f(*, a=1, b): pass"),
        ("def f(): yield", "def f(): return"),
        ("x = f'{a}b'", "x = f'{a}' 'c'"),
        ("x = f'{a!r}'", "x = f'{a}'"),
        ("x = f'{a:3}'", "x = f'{a:4}'"),
        ("async def f(): pass", "def f(): pass"),
        ("x: int = 1", "x = 1"),
        ("'doc'", "'other'"),
    ],
)
def test_what_python_tells_apart_has_two_digests(one: str, other: str) -> None:
    assert syntax_digest(one.encode()) != syntax_digest(other.encode())


def test_the_digest_of_a_tree_is_written_down() -> None:
    """On every version of Python the same: a change of these is a change of all identities."""
    code = b"""import a.b as c
from . import d
@e
def f(g, *h, i=-0.0, **j):
    return f'{g:>{i}}k'
"""
    assert syntax_digest(code) == "41bece47f5316d59074f"
    assert syntax_digest(b"x = (") == "1171b91c85f5c2d011b4"


def test_deep_and_long_code_has_a_digest() -> None:
    deep = b"x = " + b" + ".join([b"1"] * 3000)
    assert syntax_digest(deep) != syntax_digest(deep + b" + 1")
    assert syntax_digest(b"x = 0x" + b"f" * 6000)
    assert syntax_digest(b"(" * 5000) == syntax_digest(b"(" * 5000)


def test_latin_text_is_read_by_its_cookie() -> None:
    utf = "# -*- coding: utf-8 -*-\nname = 'é'\n".encode()
    latin = "# -*- coding: latin-1 -*-\nname = 'é'\n".encode("latin-1")
    assert syntax_digest(utf) == syntax_digest(latin)


@pytest.mark.parametrize("how", ["PYTHONPATH", "editable"])
def test_a_package_elsewhere_on_pythons_path_counts_with_all_that_is_reached(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path / "study", {"wl.py": train("from mylib import step")})
    project(
        tmp_path / "lib", {"mylib/__init__.py": "from .core import step\n", "mylib/core.py": CORE}
    )
    if how == "PYTHONPATH":
        monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    else:
        monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, _Editable(tmp_path / "lib")])
    before = version(tmp_path / "study")
    (tmp_path / "lib" / "mylib" / "core.py").write_text(OTHER)
    assert version(tmp_path / "study") != before


class _Editable:
    """A finder as installers add them for editable packages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        from importlib.util import spec_from_file_location

        file = self._folder / name / "__init__.py"
        return spec_from_file_location(name, file) if file.exists() else None


def test_a_workload_found_by_pythonpath_is_followed_and_one_of_the_study_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path / "study", {"other.py": ""})
    project(tmp_path / "lib", {"wl.py": train("import core"), "core.py": CORE})
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    before = version(tmp_path / "study")
    (tmp_path / "lib" / "core.py").write_text(OTHER)
    assert version(tmp_path / "study") != before
    (tmp_path / "study" / "core.py").write_text(CORE)
    assert version(tmp_path / "study") == before


def _installed(site: Path, record: str, *, url: str = "", files: dict[str, str]) -> None:
    project(site, files)
    info = site / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "RECORD").write_text(record)
    if url:
        (info / "direct_url.json").write_text(url)


def test_an_installed_workload_counts_by_its_distributions_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "lib" / "site-packages"
    files = {
        "mine/__init__.py": "",
        "mine/wl.py": train("from . import core"),
        "mine/core.py": CORE,
    }
    record = "mine/wl.py,sha256=aa,9\nmine/core.py,sha256=bb,9\nmine/__pycache__/wl.pyc,,\n"
    _installed(site, record, files=files)
    monkeypatch.syspath_prepend(str(site))
    code = _code("mine.wl", tmp_path)
    assert not code.modules
    assert [(one.name, one.version) for one in code.distributions] == [("mine", "1.0")]
    (site / "mine-1.0.dist-info" / "RECORD").write_text(record.replace("bb", "cc"))
    assert _code("mine.wl", tmp_path).digest != code.digest


@pytest.mark.parametrize(
    ("url", "counts"),
    [('{"url": "file:///src", "dir_info": {}}', True), ("", False)],
    ids=["from a folder", "from an index"],
)
def test_a_library_counts_if_it_was_installed_from_a_folder(
    url: str, counts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "lib" / "site-packages"
    record = "mine/__init__.py,sha256=aa,9\n"
    _installed(site, record, url=url, files={"mine/__init__.py": CORE})
    project(tmp_path / "study", {"wl.py": train("import mine")})
    monkeypatch.syspath_prepend(str(site))
    found = [one.name for one in _code("wl", tmp_path / "study").distributions]
    assert found == (["mine"] if counts else [])


def _code(module: str, folder: Path) -> Code:
    code = code_of(module, folder)
    assert code is not None
    return code


def test_a_virtual_environment_beside_the_study_is_not_the_users_code(tmp_path: Path) -> None:
    inside = ".venv/lib/python3.11/site-packages/lib/__init__.py"
    project(tmp_path, {"wl.py": train(), inside: CORE})
    assert [one.name for one in _code("wl", tmp_path).modules] == ["wl"]


@pytest.mark.parametrize(("name", "whose"), [("random", "Python's own"), ("torch", "a library's")])
def test_a_file_that_another_module_hides_is_refused(name: str, whose: str, tmp_path: Path) -> None:
    project(tmp_path, {"wl.py": train(f"import {name}"), f"{name}.py": CORE})
    with pytest.raises(LookupError, match=f"{name}.py has the name of {whose} module '{name}'"):
        describe("wl:train", tmp_path)


def test_a_folder_may_move_and_another_name_is_another_module(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        project(tmp_path / folder, {"wl.py": train("import core"), "core.py": CORE})
    assert version(tmp_path / "a") == version(tmp_path / "b")
    (tmp_path / "b" / "core.py").rename(tmp_path / "b" / "more.py")
    (tmp_path / "b" / "wl.py").write_text(train("import more"))
    assert version(tmp_path / "a") != version(tmp_path / "b")


def test_more_code_than_travels_is_recorded_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path, {"wl.py": train("import core"), "core.py": CORE})
    whole = _code("wl", tmp_path)
    monkeypatch.setattr(source, "MOST_TEXT", 10)
    bare = _code("wl", tmp_path)
    assert bare.digest == whole.digest
    assert all(one.text is None for one in bare.modules)


@pytest.mark.slow
def test_the_version_does_not_depend_on_hash_seeds_or_the_working_folder(tmp_path: Path) -> None:
    project(tmp_path, {"wl.py": train("import core"), "core.py": CORE})
    expected = version(tmp_path)
    ended = command("plan", tmp_path / "study.yaml", "--json", folder=Path(os.sep))
    assert f'"{expected}"' in ended.stdout, ended.stderr
