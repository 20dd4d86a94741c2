"""Metrics as they are declared: what is taken from where, and which of them may decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbablate.errors import StudyError
from cbablate.planning.plan import Plan, plan
from cbablate.spec.metric import DeclaredMetric, Metric, Objective, described
from cbablate.spec.split import split_of, twins
from tests.spec.study_files import OWN, TOY, read, read_own, swap

ACCURACY = DeclaredMetric(label="Accuracy", unit="%", scale=100, digits=1, better="higher")


def planned(folder: Path, text: str) -> Plan:
    """The plan of a study of a workload that lies beside it."""
    file = read_own(folder, text)
    return plan(file.study, file.description)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *((one, "test") for one in ("test/x", "miou_test", "acc/test", "eval/test/top1")),
        *((one, "test") for one in ("testAcc", "accTest", "TEST", "top1.test", "testset/acc")),
        *(
            (one, "test")
            for one in ("testloss", "TESTACC", "TESTacc", "testdata/acc", "testsplit/x")
        ),
        *((one, "test") for one in ("eval_on_testdata", "acctest", "testF1", "ｔｅｓｔ/acc")),  # noqa: RUF001
        *(
            (one, "test")
            for one in ("holdout", "held-out/acc", "heldout/acc", "HELD_OUT", "HoldOut")
        ),
        *((one, None) for one in ("attest", "greatest", "CONTEST", "LATESTacc", "threshold_out")),
        *((one, None) for one in ("HOLD_OUTPUT", "testimony", "tester/x", "interval", "trainable")),
        *((one, "val") for one in ("valloss", "VALACC", "evalset/f1")),
        *((one, None) for one in ("latest", "contest", "attestation/loss", "std_dev", "loss")),
        *((one, "val") for one in ("val/loss", "eval_loss", "accVal", "dev/f1", "validation/x")),
        *((one, "train") for one in ("train/loss", "training_loss")),
    ],
)
def test_a_split_is_told_by_any_word_of_a_name(name: str, split: str | None) -> None:
    assert split_of(name) == split


def test_names_of_one_quantity_on_two_splits_are_known_however_they_are_joined() -> None:
    for val, test in (
        *(("val/acc", "test/acc"), ("acc/val", "acc/test"), ("valAcc", "testAcc")),
        *(("eval_loss", "test_loss"), ("eval/val/top1", "eval/test/top1"), ("dev.f1", "test.f1")),
    ):
        assert twins(val, test)
        assert twins(test, val)
    for val, test in (("valloss", "testloss"), ("acc/val", "acctest"), ("val/acc", "held_out/acc")):
        assert twins(val, test)
    assert not twins("std_dev", "std_test")  # a deviation is of no split
    assert not twins("val/acc", "test/loss")
    assert not twins("val/acc", "val/acc")


def test_a_test_metric_takes_what_is_said_of_its_twin_unless_it_says_its_own() -> None:
    found = described({}, {"val/acc": ACCURACY}, names=["test/acc"])
    assert found["test/acc"] == Metric(
        "test/acc", "Accuracy", "%", 1, direction="maximize", scale=100
    )
    own = {"val/acc": ACCURACY, "test/acc": DeclaredMetric(label="Acc.", digits=2, better=None)}
    found = described({}, own, names=["test/acc"])
    assert found["test/acc"] == Metric("test/acc", "Acc.", "%", 2, direction=None, scale=100)


def test_two_columns_of_one_label_say_which_split_they_are_of() -> None:
    found = described({}, {"val/acc": ACCURACY}, names=["val/acc", "test/acc"])
    assert found["val/acc"].label == "Accuracy"
    assert found["test/acc"].label == "Accuracy (test)"


def test_the_objectives_direction_is_its_metrics_and_its_twins() -> None:
    decides = [Objective(metric="val/loss", direction="minimize")]
    found = described({}, {}, objectives=decides, names=["test/loss", "other"])
    assert found["val/loss"].direction == found["test/loss"].direction == "minimize"
    assert found["test/loss"].label == "test/loss"
    assert "other" not in found  # nobody has said anything of it


def test_a_study_goes_before_a_workloads_file_key_by_key() -> None:
    found = described({}, {"x": ACCURACY}, {"x": DeclaredMetric(label="Share of hits")})
    assert found["x"] == Metric("x", "Share of hits", "%", 1, direction="maximize", scale=100)


def test_describing_twice_is_describing_once(tmp_path: Path) -> None:
    text = OWN + "metrics: {val/accuracy: {label: Accuracy, unit: '%', scale: 100}}\n"
    once = planned(tmp_path, text)
    again = plan(once.study, once.description)
    assert again.description.metrics == once.description.metrics
    assert once.description.metrics["test/accuracy"].direction == "maximize"


@pytest.mark.parametrize("name", ["miou_test", "acc/test", "eval/test/top1", "testAcc"])
def test_nothing_is_decided_on_a_metric_of_the_test_split(tmp_path: Path, name: str) -> None:
    text = swap(OWN, "metric: val/accuracy", f"metric: {name}")
    with pytest.raises(StudyError, match="is of the test split, which selection must not see"):
        read_own(tmp_path, text)
    sweep = tmp_path / "sweep.yaml"
    space = "space: {width: {int: [8, 64]}}\nsampler: random\ntrials: 2\n"
    for said in (
        f"constraints: ['{name} <= 1']",
        f"objectives: [{{metric: {name}, direction: maximize}}]",
    ):
        sweep.write_text(space + said)
        with pytest.raises(StudyError, match="is of the test split"):
            read_own(tmp_path, OWN + "tune: sweep.yaml\n")


def test_a_constraint_on_a_key_with_test_in_its_name_is_no_look_at_test_data(
    tmp_path: Path,
) -> None:
    (tmp_path / "sweep.yaml").write_text(
        "space: {width: {int: [8, 64]}}\nsampler: random\ntrials: 2\n"
        "constraints: [width <= test_size]\n"
    )
    text = swap(OWN, "width: 64", "width: 64, test_size: 128") + "tune: sweep.yaml\n"
    assert read_own(tmp_path, text).study.tune is not None


def test_a_declared_split_goes_before_the_name(tmp_path: Path) -> None:
    decided = swap(OWN, "metric: val/accuracy", "metric: t-test/p")
    assert read_own(tmp_path, decided + "metrics: {t-test/p: {split: val}}\n").study
    hidden = swap(OWN, "metric: val/accuracy", "metric: held_out")
    with pytest.raises(StudyError, match="'held_out' is of the test split"):
        read_own(tmp_path, hidden + "metrics: {held_out: {split: test}}\n")


def test_nothing_is_decided_on_a_declared_timing(tmp_path: Path) -> None:
    text = swap(OWN, "metric: val/accuracy", "metric: speed")
    with pytest.raises(StudyError, match="other trials disturb, so nothing can be decided on it"):
        read_own(tmp_path, text + "metrics: {speed: {timing: true}}\n")


def test_a_direction_against_the_declared_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="is better the less it is, so 'maximize' cannot be meant"):
        read_own(tmp_path, OWN + "metrics: {val/accuracy: {better: lower}}\n")


@pytest.mark.parametrize(
    "said",
    [
        "{test/accuracy: {better: lower}}",  # the objective, val/accuracy, is maximised
        "{val/f1: {better: higher}, test/f1: {better: lower}}",
        "{valloss: {better: lower}, loss_test: {better: higher}, loss/val: {better: lower}}",
    ],
)
def test_directions_of_one_quantity_on_two_splits_must_agree(tmp_path: Path, said: str) -> None:
    with pytest.raises(StudyError, match="the same on other data, is better the"):
        read_own(tmp_path, OWN + f"metrics: {said}\n")


def test_a_sweeps_objective_has_the_direction_of_its_twin(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text(
        "space: {width: {int: [8, 64]}}\nsampler: random\ntrials: 2\n"
        "objectives: [{metric: val/f1, direction: minimize}]\n"
    )
    text = OWN + "tune: sweep.yaml\nmetrics: {test/f1: {better: higher}}\n"
    with pytest.raises(StudyError, match="'val/f1' is to minimize, and 'test/f1'"):
        read_own(tmp_path, text)


@pytest.mark.parametrize("label", ["'  '", '"\\t"'])
def test_a_label_can_be_seen(tmp_path: Path, label: str) -> None:
    with pytest.raises(StudyError, match="a label that nobody can see"):
        read_own(tmp_path, OWN + f"metrics: {{val/accuracy: {{label: {label}}}}}\n")


def test_a_metric_has_a_name(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="a metric without a name"):
        read_own(tmp_path, OWN + "metrics: {' ': {label: Accuracy}}\n")


def test_two_reported_metrics_have_two_labels(tmp_path: Path) -> None:
    text = swap(OWN, "report: [test/accuracy]", "report: [test/accuracy, loss]")
    same = "metrics: {test/accuracy: {label: Same}, loss: {label: Same}}\n"
    with pytest.raises(StudyError, match="'test/accuracy' and 'loss' are both labelled 'Same'"):
        read_own(tmp_path, text + same)
    assert read_own(tmp_path, OWN + same).study  # of which one is reported


def test_a_shipped_metric_can_be_labelled_anew_and_not_turned_round(tmp_path: Path) -> None:
    file = read(tmp_path, TOY + "metrics: {test/score: {label: Points, digits: 1, scale: 10}}\n")
    found = plan(file.study, file.description).description.metrics
    assert found["test/score"] == Metric("test/score", "Points", "", 1, "maximize", scale=10)
    assert found.keys() == file.description.metrics.keys()
    with pytest.raises(StudyError, match="workload toy says itself what 'better'"):
        read(tmp_path, TOY + "metrics: {test/score: {better: lower}}\n")
    with pytest.raises(StudyError, match="did you mean 'test/score'"):
        read(tmp_path, TOY + "metrics: {test/scor: {label: Points}}\n")


def test_labels_are_no_part_of_what_a_study_is(tmp_path: Path) -> None:
    plain = planned(tmp_path, OWN)
    labelled = planned(tmp_path, OWN + "metrics: {test/accuracy: {label: Accuracy}}\n")
    assert [trial.id for trial in plain.trials] == [trial.id for trial in labelled.trials]
    assert plain.study.model_dump() == labelled.study.model_dump()


def test_a_workloads_own_file_declares_metrics_too(tmp_path: Path) -> None:
    (tmp_path / "mine.workload.yaml").write_text(
        "function: mine:train\n"
        "metrics: {val/accuracy: {label: Accuracy, unit: '%', scale: 100, digits: 1}}\n"
    )
    text = swap(OWN, "workload: mine:train", "workload: mine.workload.yaml")
    found = planned(tmp_path, text + "metrics: {val/accuracy: {label: Hits}}\n").description.metrics
    assert found["val/accuracy"] == Metric(
        "val/accuracy", "Hits", "%", 1, direction="maximize", scale=100
    )
    assert found["test/accuracy"].label == "Hits (test)"


def test_the_example_of_the_documentation_is_a_study(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "train.py").write_text("def main(config, *, seed, budget, workdir):\n    yield\n")
    file = read(tmp_path, example)
    found = plan(file.study, file.description).description.metrics
    assert found["val/acc"].label == "Accuracy (val.)"
    assert found["rate"].source == "timing"
