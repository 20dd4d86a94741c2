from __future__ import annotations

import json
from pathlib import Path

import pytest

from cbablate.errors import StudyError
from cbablate.planning.plan import plan
from cbablate.spec.fault import Fault
from cbablate.spec.loading.load import read_study
from cbablate.spec.study import Study
from cbablate.spec.typesetting import Typesetting
from cbablate.workloads.catalog import describe
from tests.spec.study_files import IMAGE, OWN, TOY, baseline_of, read, read_own, swap


def refused(folder: Path, text: str | bytes) -> str:
    with pytest.raises(StudyError) as caught:
        read(folder, text)
    assert caught.value.exit_code == 2
    return str(caught.value).replace(f"{folder}/", "")


def test_a_study_is_read_with_its_name_and_folder(tmp_path: Path) -> None:
    file = read(tmp_path, IMAGE, "placement.yaml")
    assert isinstance(file.study, Study)
    assert (file.study.name, file.study.folder) == ("placement", tmp_path)
    assert file.description.name == "image_classification"
    assert file.path == tmp_path / "placement.yaml"
    assert [level.name for level in file.study.factors[0].levels] == ["none", "MLP end"]
    assert file.study.baseline["optimizer"]["lr"] == 0.002
    assert len(plan(file.study, file.description).trials) == 12


def test_a_path_may_be_a_string(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(TOY)
    assert read_study(str(tmp_path / "x.yaml"), describe).study.name == "x"


def test_a_report_may_say_how_tables_are_set(tmp_path: Path) -> None:
    plain = read(tmp_path, TOY).study
    said = "report: {metrics: [test/score], style: cvpr, long: false, caption: 12, label: tab:x}"
    file = read(tmp_path, swap(TOY, "report: [test/score]", said))
    assert file.study.report == plain.report == ("test/score",)
    assert plain.typesetting == Typesetting()
    how = Typesetting(style="cvpr", long=False, caption="12", label="tab:x")
    assert file.study.typesetting == how
    assert [trial.id for trial in plan(file.study, file.description).trials] == [
        trial.id for trial in plan(plain, file.description).trials
    ]
    assert file.study.model_dump() == plain.model_dump()  # what a ledger and `diff` know of it


def test_a_fault_of_a_metric_is_placed_in_either_form_of_a_report(tmp_path: Path) -> None:
    long = "report:\n  style: icml\n  metrics:\n    - test/score"
    file = read(tmp_path, swap(TOY, "report: [test/score]", long))
    error = StudyError.of([Fault(("report", 0), "is odd"), Fault(("report", "style"), "is old")])
    told = str(file.located(error))
    assert ":16:7: report.metrics[0]: is odd" in told
    assert ":14:10: report.style: is old" in told


def test_a_study_needs_no_factors(tmp_path: Path) -> None:
    start, end = TOY.index("factors:"), TOY.index("budget:")
    study = read(tmp_path, TOY[:start] + TOY[end:]).study
    assert study.factors == ()


def test_one_replicate_is_enough_to_be_read(tmp_path: Path) -> None:
    assert read(tmp_path, swap(TOY, "replicates: 2", "replicates: 1")).study.replicates == 1


@pytest.mark.parametrize(
    ("written", "meant"),
    [("10.0", 10), ("1e2", 100), ("0x10", 16), ("+3", 3)],
)
def test_whole_numbers_are_whole_however_written(tmp_path: Path, written: str, meant: int) -> None:
    study = read(tmp_path, swap(TOY, "epochs: 3", f"epochs: {written}")).study
    assert study.budget.epochs == meant
    assert isinstance(study.budget.epochs, int)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1e-3", 0.001), (".5e-3", 0.0005), ("2", 2), ("1e-320", 1e-320)],
)
def test_numbers_are_numbers_by_yaml_1_2(tmp_path: Path, written: str, meant: float) -> None:
    assert baseline_of(tmp_path, f"{{rate: {written}}}") == {"rate": meant}


@pytest.mark.parametrize(
    "text",
    ["48", "1.10", "25921e05", "no", "on", "true", "010", "1:30", "2026-01-02", ".inf", "0x1F"],
)
def test_text_is_kept_as_it_is_written(tmp_path: Path, text: str) -> None:
    study = read(tmp_path, swap(TOY, "name: two", f"name: {text}")).study
    assert study.factors[0].levels[1].name == text
    study = read(tmp_path, swap(IMAGE, "vit_tiny_patch16_224", text)).study
    assert study.baseline["model"]["name"] == text


def test_text_is_kept_in_changes_too(tmp_path: Path) -> None:
    changes = "changes: {context: {operator: cb, place: mlp.end}}"
    for written in ("changes: {model.name: 1.10}", "changes: {model: {name: 1.10, depth: 2.0}}"):
        study = read(tmp_path, swap(IMAGE, changes, written)).study
        assert '"1.10"' in json.dumps(study.factors[0].levels[1].changes)


@pytest.mark.parametrize(
    "context",
    ["none", "", "{operator: cb}", "[{operator: cb}, {operator: halve, place: mlp.mid}]"],
)
def test_context_may_be_a_word_a_mapping_or_a_list(tmp_path: Path, context: str) -> None:
    assert read(tmp_path, swap(IMAGE, "context: none", f"context: {context}")).study


def test_what_is_written_is_kept_without_defaults(tmp_path: Path) -> None:
    written = read(tmp_path, TOY).written
    assert written["baseline"] == {"rate": 0.5}
    assert "design" not in written


def test_faults_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = TOY.replace("rate: 0.5", "rate: -1, rte: 1").replace("seed: 0", "seed: x\nseed: 1")
    places = [
        tuple(map(int, line.split(":")[1:3]))
        for line in refused(tmp_path, text).splitlines()
        if not line.startswith(" ")
    ]
    assert len(places) == 4
    assert places == sorted(places)


def test_a_fault_of_the_baseline_is_not_told_again_for_each_level(tmp_path: Path) -> None:
    text = swap(IMAGE, "embed_dim: 48}", "embed_dim: 48, num_heads: 5}")
    assert refused(tmp_path, text).count("is not a multiple of") == 1
    assert refused(tmp_path, swap(IMAGE, "lr: 2e-3", "lr: 0")).count("greater than 0") == 1


def test_a_fault_that_a_level_makes_by_what_it_leaves_is_told_at_the_level(
    tmp_path: Path,
) -> None:
    text = swap(IMAGE, "{context: {operator: cb, place: mlp.end}}", "{model: {num_heads: 5}}")
    assert "factors[0].levels[1].changes.model: embed_dim 48" in refused(tmp_path, text)


@pytest.mark.parametrize(
    ("workload", "told"),
    [
        ("!own toy", "'!own' is a tag, and tags are not read"),
        ('"to\\ny"', r"workload: there is no workload 'to\ny'"),
        ("x" * 300 + ":f", "is not of the form module:function"),
        ("~", "workload: nothing is given"),
        ("[toy]", "workload: a list is given"),
    ],
)
def test_a_workload_that_cannot_be_looked_up_hides_no_other_fault(
    tmp_path: Path, workload: str, told: str
) -> None:
    text = swap(TOY, "workload: toy", f"workload: {workload}")
    lines = refused(tmp_path, swap(text, "seed: 0", "seed: -1")).splitlines()
    assert told in lines[0]
    assert lines[-1] == "x.yaml:11:7: seed: must be at least 0, found -1"
    assert [line.startswith("    ") for line in lines[1:-1]] in ([], [True])


def test_hundreds_of_faults_are_counted_not_listed(tmp_path: Path) -> None:
    keys = "".join(f"key{i}: 1\n" for i in range(250))
    lines = refused(tmp_path, TOY + keys).splitlines()
    assert lines[-1] == "x.yaml: and 200 more"


def test_faults_of_the_plan_are_placed_in_the_file(tmp_path: Path) -> None:
    file = read(tmp_path, TOY)
    told = file.located(
        StudyError.of(
            [
                Fault(("design",), "is wrong"),
                Fault(("factors", 0, "levels", 1, "changes", "ceiling"), "is wrong", "mend it"),
                Fault(("factors", 0, "levels", 1, "changes", "ceiling"), "no key", at_key=True),
                Fault((), "all is wrong"),
            ]
        )
    )
    assert str(told).replace(f"{tmp_path}/", "").splitlines() == [
        "x.yaml:1:1: design: is wrong",
        "x.yaml:1:1: all is wrong",
        "x.yaml:8:31: factors[0].levels[1].changes: no key",
        "x.yaml:8:40: factors[0].levels[1].changes.ceiling: is wrong",
        "    mend it",
    ]
    assert told.faults == ()
    assert file.located(told) is told


def test_an_index_that_the_schema_made_is_passed_over(tmp_path: Path) -> None:
    file = read(tmp_path, IMAGE)
    fault = Fault(("factors", 0, "levels", 1, "changes", "context", 0, "place"), "is wrong")
    assert "changes.context.place: is wrong" in str(file.located(StudyError.of([fault])))


def test_a_dotted_key_is_found_by_what_it_stands_for(tmp_path: Path) -> None:
    text = swap(IMAGE, "{context: {operator: cb, place: mlp.end}}", "{model.depth: 3}")
    way = ("factors", 0, "levels", 1, "changes", "model", "depth")
    told = str(read(tmp_path, text).located(StudyError.of([Fault(way, "is wrong")])))
    assert "changes.model.depth: is wrong" in told
    assert ":14:48:" in told


def test_a_missing_file_and_a_folder_are_study_errors(tmp_path: Path) -> None:
    (tmp_path / "size.yaml").touch()
    with pytest.raises(StudyError, match="there is no such file"):
        read_study(tmp_path / "sise.yaml", describe)
    with pytest.raises(StudyError, match="is a folder"):
        read_study(tmp_path, describe)


@pytest.mark.parametrize("name", ["grüße.yaml", "a b.yaml", ".yaml", "x" * 65 + ".yaml"])
def test_a_name_that_is_no_name_is_refused_with_all_other_faults(tmp_path: Path, name: str) -> None:
    with pytest.raises(StudyError) as caught:
        read(tmp_path, swap(TOY, "seed: 0", "seed: -1"), name)
    assert "the file's stem is the study's name" in str(caught.value)
    assert "must be at least 0" in str(caught.value)


def test_a_lookup_without_a_sentence_gets_one(tmp_path: Path) -> None:
    def nothing(name: str, folder: Path) -> None:
        raise LookupError

    (tmp_path / "x.yaml").write_text(TOY)
    with pytest.raises(StudyError, match="workload: there is no workload 'toy'"):
        read_study(tmp_path / "x.yaml", nothing)  # type: ignore[arg-type]  # never describes


class TestWorkloadsOfOnesOwn:
    def test_the_baseline_is_the_schema(self, tmp_path: Path) -> None:
        file = read_own(tmp_path)
        assert file.study.factors[0].levels[1].changes == {"optimizer.momentum": 0.0}
        assert file.description.schema is None

    @pytest.mark.parametrize(
        ("changes", "hint"),
        [
            ("{optimizer.momentun: 0.0}", "did you mean 'optimizer.momentum'?"),
            ("{optimizer: {momentun: 0.0}}", "did you mean 'optimizer.momentum'?"),
            ("{momentum: 0.0}", "did you mean 'optimizer.momentum'?"),
            ("{xyzzy: 0.0}", "the baseline has optimizer.name, optimizer.momentum, width, note"),
            ("{optimizer: {}, depth: {}}", "the baseline has"),
        ],
    )
    def test_a_factor_changes_only_what_the_baseline_has(
        self, tmp_path: Path, changes: str, hint: str
    ) -> None:
        with pytest.raises(StudyError) as caught:
            read_own(tmp_path, swap(OWN, "{optimizer.momentum: 0.0}", changes))
        assert "is not a key of the baseline" in str(caught.value)
        assert hint in str(caught.value)

    @pytest.mark.parametrize("changes", ["{optimizer: null}", "{note: {a: 1}}", "{width: [1]}"])
    def test_what_the_baseline_has_may_become_anything(self, tmp_path: Path, changes: str) -> None:
        assert read_own(tmp_path, swap(OWN, "{optimizer.momentum: 0.0}", changes))

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            ("010", "'010' begins with a zero"),
            (".nan", "'.nan' is not finite"),
            ("[1, \u22122]", "U+2212 MINUS SIGN"),
            ("1,000", "'1,000' separates digits"),
        ],
    )
    def test_what_may_be_a_bad_number_is_refused(
        self, tmp_path: Path, written: str, told: str
    ) -> None:
        with pytest.raises(StudyError) as caught:
            read_own(tmp_path, swap(OWN, "width: 64", f"width: {written.replace(',0', '_0')}"))
        assert told.replace(",0", "_0") in str(caught.value)
        assert "in quotes if it is a word" in str(caught.value)

    def test_quotes_make_it_a_word(self, tmp_path: Path) -> None:
        assert read_own(tmp_path, swap(OWN, "64", "'010'")).study.baseline["width"] == "010"

    def test_a_quoted_word_is_a_word_and_what_is_exact_is_what_it_says(
        self, tmp_path: Path
    ) -> None:
        config = "{a: 'no', b: \"1:30\", c: ~, d: .5, e: 1e3, f: none, g: nope, h: 'a.b', "
        config += "i: [{'a.b': 1}], j: 2026-01-02, k: 16:9x}"
        baseline = read_own(tmp_path, swap(OWN, "note: null", f"note: {config}")).study.baseline
        assert baseline["note"] == {
            "a": "no",
            "b": "1:30",
            "c": None,
            "d": 0.5,
            "e": 1000.0,
            "f": "none",
            "g": "nope",
            "h": "a.b",
            "i": [{"a.b": 1}],
            "j": "2026-01-02",
            "k": "16:9x",
        }

    def test_any_metric_but_the_test_splits_may_decide(self, tmp_path: Path) -> None:
        with pytest.raises(StudyError, match="selection must not see"):
            read_own(tmp_path, swap(OWN, "val/accuracy", "test/accuracy"))
