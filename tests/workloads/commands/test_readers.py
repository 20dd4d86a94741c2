from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.workloads.commands.programs import from_a, script, told

CSV = """
f=$CBABLATE_WORKDIR/summary.csv
echo "epoch,train_loss,eval_top1,when" > $f
for e in 0 1 2; do echo "$e,0.$e,9$e.5,2026-01-0$e" >> $f; sleep 0.02; done
"""


def test_rows_of_a_csv_file_are_measurements(tmp_path: Path) -> None:
    program = from_a(
        script(tmp_path, CSV),
        csv="*.csv",
        counts_from=0,
        names={"eval_top1": "val/top1"},
    )
    found = told(program, tmp_path / "t")
    assert found.failure is None
    assert found.numbers == [
        (1, {"train_loss": 0.0, "val/top1": 90.5}),
        (2, {"train_loss": 0.1, "val/top1": 91.5}),
        (3, {"train_loss": 0.2, "val/top1": 92.5}),
    ]


def test_rows_of_one_epoch_are_one_measurement(tmp_path: Path) -> None:
    text = """
cat > $CBABLATE_WORKDIR/m.csv <<END
epoch,step,train_loss,val_acc
0,10,0.5,
0,10,,0.7
1,20,0.4,
1,20,,0.8
END
"""
    program = from_a(script(tmp_path, text), csv="m.csv", counts_from=0)
    assert told(program, tmp_path / "t", epochs=2).numbers == [
        (1, {"step": 10.0, "train_loss": 0.5, "val_acc": 0.7}),
        (2, {"step": 20.0, "train_loss": 0.4, "val_acc": 0.8}),
    ]


def test_a_csv_file_may_be_written_anew_with_more_names(tmp_path: Path) -> None:
    text = """
import csv, os, time
from pathlib import Path
rows = []
for epoch in range(1, 4):
    rows.append({"epoch": epoch, "a": epoch / 10} | ({"b": 1.0} if epoch == 3 else {}))
    with Path(os.environ["CBABLATE_WORKDIR"], "m.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[-1]))
        writer.writeheader()
        writer.writerows(rows)
    time.sleep(0.1)
"""
    program = from_a(script(tmp_path, text, "train.py"), csv="m.csv")
    assert told(program, tmp_path / "t").numbers == [
        (1, {"a": 0.1}),
        (2, {"a": 0.2}),
        (3, {"a": 0.3, "b": 1.0}),
    ]


@pytest.mark.parametrize("kind", ["json", "csv"])
@pytest.mark.parametrize("counted", [True, False])
def test_the_last_row_may_say_something_else_until_another_follows(
    tmp_path: Path, kind: str, counted: bool
) -> None:
    text = f"""
import csv, json, os, time
from pathlib import Path
path, rows = Path(os.environ["CBABLATE_WORKDIR"], "h"), []
def write(row):
    rows[len(rows) - 1 if row is last else len(rows):] = [dict(row)]
    with path.with_suffix(".new").open("w", newline="") as file:
        if {kind == "json"}:
            json.dump(rows, file)
        else:
            writer = csv.DictWriter(file, list(rows[-1]))
            writer.writeheader()
            writer.writerows(rows)
    path.with_suffix(".new").replace(path)
    time.sleep(0.4)
for epoch in (1, 2):
    last = None
    row = {{"epoch": epoch, "loss": 9.0 + epoch}} if {counted} else {{"loss": 9.0 + epoch}}
    write(row)
    last = row
    row["loss"] = epoch / 10
    write(row)
"""
    program = from_a(script(tmp_path, text, "train.py"), **{kind: "h"})
    found = told(program, tmp_path / "t", epochs=2)
    assert found.numbers == [(1, {"loss": 0.1}), (2, {"loss": 0.2})]


def test_a_row_before_the_last_that_changes_is_a_sentence(tmp_path: Path) -> None:
    text = """
cd $CBABLATE_WORKDIR
printf 'epoch,a\n1,0.5\n2,0.6\n' > m.csv
sleep 0.5
printf 'epoch,a\n1,0.4\n2,0.6\n' > m.csv
"""
    found = told(from_a(script(tmp_path, text), csv="m.csv"), tmp_path / "t")
    assert "m.csv, row 2 says another thing than it said" in found.sentence


@pytest.mark.parametrize(
    ("columns", "names", "sentence"),
    [
        ("epoch,acc,val/acc", {"acc": "val/acc"}, "two of its numbers come to the name 'val/acc'"),
        ("epoch,a,a", {}, "m.csv has two columns called a"),
    ],
)
def test_two_numbers_of_one_name_are_a_sentence(
    tmp_path: Path, columns: str, names: dict[str, str], sentence: str
) -> None:
    text = f"printf '{columns}\n1,0.5,0.6\n' > $CBABLATE_WORKDIR/m.csv"
    program = from_a(script(tmp_path, text), csv="m.csv", names=names)
    assert sentence in told(program, tmp_path / "t").sentence


def test_rows_that_go_are_a_sentence(tmp_path: Path) -> None:
    text = """
cd $CBABLATE_WORKDIR
printf 'epoch,a\n1,0.5\n2,0.6\n' > m.csv
sleep 0.5
printf 'epoch,a\n2,0.6\n' > m.csv
"""
    found = told(from_a(script(tmp_path, text), csv="m.csv"), tmp_path / "t", epochs=2)
    assert "m.csv has 1 row at the end, and had 2" in found.sentence


def test_a_cell_that_comes_later_is_taken_of_the_last_row(tmp_path: Path) -> None:
    text = """
cd $CBABLATE_WORKDIR
printf 'epoch,a,b\n1,0.5,\n' > m.csv
sleep 0.5
printf 'epoch,a,b\n1,0.5,0.7\n' > m.csv
"""
    found = told(from_a(script(tmp_path, text), csv="m.csv"), tmp_path / "t", epochs=1)
    assert found.numbers == [(1, {"a": 0.5, "b": 0.7})]


def test_an_index_without_a_name_is_no_metric(tmp_path: Path) -> None:
    text = "printf ',epoch,a\n0,1,0.5\n' > $CBABLATE_WORKDIR/m.csv"
    found = told(from_a(script(tmp_path, text), csv="m.csv"), tmp_path / "t", epochs=1)
    assert found.numbers == [(1, {"a": 0.5})]


@pytest.mark.parametrize("cells", ["1/3,0.5", "first,0.5"])
def test_a_count_that_is_no_whole_number_is_a_sentence(tmp_path: Path, cells: str) -> None:
    text = f"printf 'epoch,a\\n{cells}\\n' > $CBABLATE_WORKDIR/m.csv"
    found = told(from_a(script(tmp_path, text), csv="m.csv"), tmp_path / "t", epochs=1)
    assert "m.csv, row 2: epoch is '" in found.sentence


def test_a_count_that_the_study_names_and_no_row_has_is_a_sentence(tmp_path: Path) -> None:
    text = "printf 'epoch,a\n1,0.5\n' > $CBABLATE_WORKDIR/m.csv"
    program = from_a(script(tmp_path, text), csv="m.csv", spent="epcoh")
    found = told(program, tmp_path / "t", epochs=1)
    assert "m.csv, row 2: there is no epcoh, which `spent` under reads names" in found.sentence


@pytest.mark.parametrize("name", ["step", "Epoch", "steps"])
def test_a_number_called_like_a_count_is_a_sentence_until_the_study_says_what_it_is(
    tmp_path: Path, name: str
) -> None:
    text = f"printf '{name},a\\n1,0.5\\n2,0.6\\n' > $CBABLATE_WORKDIR/m.csv"
    program = script(tmp_path, text)
    found = told(from_a(program, csv="m.csv"), tmp_path / "a")
    assert f"m.csv, row 2: there is {name}, and spent or epoch would count" in found.sentence
    found = told(from_a(program, csv="m.csv", spent=name), tmp_path / "b")
    assert found.numbers == [(1, {"a": 0.5}), (2, {"a": 0.6})]
    found = told(from_a(program, csv="m.csv", names={name: "n"}), tmp_path / "c", epochs=2)
    assert found.numbers == [(1, {"a": 0.5, "n": 1.0}), (2, {"a": 0.6, "n": 2.0})]


def test_half_a_row_at_the_end_is_a_sentence(tmp_path: Path) -> None:
    text = "printf 'epoch,a,b\\n1,0.5,0.6\\n2,0.' > $CBABLATE_WORKDIR/m.csv"
    found = told(from_a(script(tmp_path, text), csv="m.csv"), tmp_path / "t")
    assert found.sentence == "m.csv, row 3 has 2 cells below 3 names: ['2', '0.']"


@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_json_that_a_program_writes_anyway_is_read(tmp_path: Path, kind: str) -> None:
    lines = ['{"epoch": 1, "val": {"acc": 0.5}, "note": "x"}', '{"epoch": 2, "val": {"acc": 0.6}}']
    text = "\n".join(lines) if kind == "jsonl" else f"[{', '.join(lines)}]"
    (tmp_path / "log").write_text(text)
    program = from_a(script(tmp_path, "cp log $CBABLATE_WORKDIR/log"), **{kind: "{workdir}/log"})
    found = told(program, tmp_path / "t", epochs=2)
    assert found.numbers == [(1, {"val/acc": 0.5}), (2, {"val/acc": 0.6})]
    assert not found.measurements[0].notes


def test_one_json_mapping_at_the_end_is_the_measurement_of_the_whole_budget(
    tmp_path: Path,
) -> None:
    text = """
printf '{"acc": 0.' > $CBABLATE_WORKDIR/r.json
sleep 0.1
echo '{"acc": 0.7}' > $CBABLATE_WORKDIR/r.json
"""
    program = from_a(script(tmp_path, text), json="r.json")
    assert told(program, tmp_path / "t", epochs=9).numbers == [(9, {"acc": 0.7})]


def test_a_json_file_that_ends_in_the_middle_is_a_sentence(tmp_path: Path) -> None:
    text = "printf '{\"acc\": 0.' > $CBABLATE_WORKDIR/r.json"
    found = told(from_a(script(tmp_path, text), json="r.json"), tmp_path / "t")
    assert re.match(r"r\.json is not JSON: .*; the program has ended in the middle", found.sentence)


PRINTS = """
for e in 1 2 3; do
    printf '\\r 50%%|###  | %s' $e >&2
    echo "Train Epoch: $e [0/60000]  Loss: 0.9"
    echo "Train Epoch: $e [100/60000]  Loss: 0.$e"
    echo "Test set: Average loss: 0.1$e, Accuracy: 9$e/100 (9$e%)"
done
"""
PATTERNS = (
    r"Train Epoch: (?P<epoch>\\d+) .*Loss: (?P<loss>[\\d.]+)".replace("\\\\", "\\"),
    r"Accuracy: \d+/\d+ \((?P<acc>[\d.]+)%\)",
)


def test_patterns_find_numbers_in_what_is_printed(tmp_path: Path) -> None:
    program = from_a(script(tmp_path, PRINTS), stdout=PATTERNS, names={"acc": "test/acc"})
    assert told(program, tmp_path / "t").numbers == [
        (1, {"loss": 0.1, "test/acc": 91.0}),
        (2, {"loss": 0.2, "test/acc": 92.0}),
        (3, {"loss": 0.3, "test/acc": 93.0}),
    ]


def test_without_a_count_a_name_that_comes_again_begins_a_measurement(tmp_path: Path) -> None:
    text = "for e in 1 2 3; do echo loss 0.$e; echo acc 0.9$e; done"
    program = from_a(script(tmp_path, text), stdout=(r"loss (?P<loss>\S+)", r"acc (?P<acc>\S+)"))
    assert told(program, tmp_path / "t").numbers == [
        (1, {"loss": 0.1, "acc": 0.91}),
        (2, {"loss": 0.2, "acc": 0.92}),
        (3, {"loss": 0.3, "acc": 0.93}),
    ]


def test_what_a_pattern_finds_must_be_a_number(tmp_path: Path) -> None:
    program = from_a(script(tmp_path, "echo acc: n/a"), stdout=(r"acc: (?P<acc>.*)",))
    found = told(program, tmp_path / "t")
    assert found.sentence == "line 1 of stdout: the pattern found 'n/a' as acc, not a number"


VALUES = (r"Epoch (?P<epoch>\d+)", r"loss (?P<loss>[\d.]+)", r"acc (?P<acc>[\d.]+)")


def test_what_is_printed_before_its_epoch_belongs_to_that_epoch(tmp_path: Path) -> None:
    text = "for e in 1 2 3; do echo acc 0.5$e; echo Epoch $e done, loss 0.$e; done"
    program = from_a(script(tmp_path, text), stdout=VALUES)
    assert told(program, tmp_path / "t").numbers == [
        (1, {"acc": 0.51, "loss": 0.1}),
        (2, {"acc": 0.52, "loss": 0.2}),
        (3, {"acc": 0.53, "loss": 0.3}),
    ]


@pytest.mark.parametrize("last", ["acc 0.53", "test 0.9"])
def test_a_number_after_training_may_be_new_or_the_same(tmp_path: Path, last: str) -> None:
    text = f"for e in 1 2 3; do echo acc 0.5$e; echo Epoch $e; done; echo {last}"
    program = from_a(script(tmp_path, text), stdout=(*VALUES, r"test (?P<test>[\d.]+)"))
    test = {"test": 0.9} if last.startswith("test") else {}
    assert told(program, tmp_path / "t").numbers[-1] == (3, {"acc": 0.53} | test)


def test_a_number_before_the_first_epoch_and_after_the_last_is_a_sentence(tmp_path: Path) -> None:
    text = "echo acc 0.1; for e in 1 2 3; do echo Epoch $e; echo acc 0.5$e; done"
    found = told(from_a(script(tmp_path, text), stdout=VALUES), tmp_path / "t")
    assert "line 7 of stdout: acc comes after the last time" in found.sentence


def test_batches_before_their_epoch_need_to_know_what_counts(tmp_path: Path) -> None:
    text = "for e in 1 2 3; do echo loss 0.9; echo loss 0.$e; echo Epoch $e; done"
    program = from_a(script(tmp_path, text), stdout=VALUES)
    assert "Name what counts, by `spent` under reads" in told(program, tmp_path / "t").sentence
    program = from_a(program, stdout=VALUES, spent="epoch")
    found = told(program, tmp_path / "u")
    assert found.numbers == [(1, {"loss": 0.1}), (2, {"loss": 0.2}), (3, {"loss": 0.3})]


def test_the_other_stream_cuts_no_line(tmp_path: Path) -> None:
    text = """
printf 'Epoch 1 acc 0.1'; sleep 0.5; echo warn >&2; sleep 0.5; echo 1
printf 'Epoch 2 acc 0.2'; printf 5 >&2
"""
    program = from_a(script(tmp_path, text), stdout=VALUES)
    assert told(program, tmp_path / "t", epochs=2).numbers == [
        (1, {"acc": 0.11}),
        (2, {"acc": 0.2}),
    ]


def test_numbers_of_both_streams_are_a_sentence(tmp_path: Path) -> None:
    text = "for e in 1 2 3; do echo Epoch $e; echo acc 0.$e >&2; done"
    found = told(from_a(script(tmp_path, text), stdout=VALUES), tmp_path / "t")
    assert "find numbers in line 1 of stdout and in line 1 of stderr" in found.sentence
    program = from_a(script(tmp_path, f"({text}) 2>&1", "two.sh"), stdout=VALUES)
    assert [each["acc"] for _, each in told(program, tmp_path / "u").numbers] == [0.1, 0.2, 0.3]


def test_two_numbers_of_one_line_need_two_names(tmp_path: Path) -> None:
    patterns = (r"train (?P<loss>[\d.]+)", r"val (?P<loss>[\d.]+)")
    program = from_a(script(tmp_path, "echo train 0.5 val 0.7"), stdout=patterns)
    found = told(program, tmp_path / "t")
    assert "line 1 of stdout: the patterns find '0.5' and '0.7' as loss" in found.sentence


def test_numbers_between_much_output_are_found(tmp_path: Path) -> None:
    text = """
for epoch in range(1, 4):
    for _ in range(20_000):
        print("x" * 200)
    print(f"epoch {epoch} acc 0.{epoch}", flush=True)
"""
    program = from_a(
        script(tmp_path, text, "train.py"), stdout=(r"epoch (?P<epoch>\d+) acc (?P<acc>\S+)",)
    )
    assert told(program, tmp_path / "t").numbers == [
        (1, {"acc": 0.1}),
        (2, {"acc": 0.2}),
        (3, {"acc": 0.3}),
    ]


@pytest.mark.parametrize("path", ["/tmp/shared.csv", "../m.csv", "{workdir}/../m.csv"])
def test_a_place_that_other_trials_share_is_refused(tmp_path: Path, path: str) -> None:
    found = told(from_a(script(tmp_path, "sleep 60"), csv=path), tmp_path / "t")
    assert "outside the trial's own folder" in found.sentence


def test_a_path_that_several_files_match_is_a_sentence(tmp_path: Path) -> None:
    text = "cd $CBABLATE_WORKDIR; echo a > 1.csv; echo a > 2.csv"
    found = told(from_a(script(tmp_path, text), csv="*.csv"), tmp_path / "t")
    assert found.sentence == "reads names *.csv, and 2 files match: 1.csv, 2.csv"


def test_a_program_that_leaves_nothing_is_told_where_was_looked(tmp_path: Path) -> None:
    found = told(from_a(script(tmp_path, "true"), csv="out/summary.csv"), tmp_path / "t")
    assert found.sentence == (
        "train.sh ended with code 0 and without a measurement: there is none in out/summary.csv in "
        "{workdir}, the trial's own folder, which no word of it names."
    )
    assert found.failure is not None
    assert found.failure.failure == "no measurement"
