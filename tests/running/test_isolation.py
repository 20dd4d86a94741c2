"""What a trial does to its process is undone for the next one, and for the driver."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.running.isolation.process_state import Picture
from cbablate.testing.feeds import Diary, trials_that
from cbablate.workloads.own_code.entry import Entry
from cbablate.workloads.own_code.source import code_of


def measured(workload: str, path: Path, *ways: str) -> list[dict[str, float]]:
    """The metrics of trials of a workload with this text, which yields one measurement."""
    path.write_text(workload)
    diary = Diary(trials_that(*ways, epochs=1))
    LocalExecutor().execute(diary, Entry(f"{path.stem}:run", code_of(path.stem, path.parent)))
    for way in ways:
        (ending,) = diary.of(way, "ended")
        assert ending.how == "finished", ending
    return [diary.of(way, "measured")[0].metrics for way in ways]


_TORCH = """
import torch, timm
from cbablate.records.measurement import Measurement

def run(config, *, seed, budget, workdir):
    now = torch.get_float32_matmul_precision() == "highest"
    yield Measurement(spent=1, metrics={
        "bytes": float(torch.zeros(1).element_size()),
        "cpu": float(torch.zeros(1).device.type == "cpu"),
        "threads": float(torch.get_num_threads()),
        "gradients": float(torch.is_grad_enabled()),
        "exact": float(now),
        "deterministic": float(torch.are_deterministic_algorithms_enabled()),
        "benchmark": float(torch.backends.cudnn.benchmark),
        "convolutions": float(torch.backends.cudnn.conv.fp32_precision == "ieee"),
        "mkldnn": float(torch.backends.mkldnn.enabled),
        "flash": float(torch.backends.cuda.flash_sdp_enabled()),
        "autocast": float(torch.is_autocast_enabled("cpu")),
        "hooks": float(len(torch.nn.modules.module._global_forward_hooks)),
        "denormal": float(torch.tensor([1e-310], dtype=torch.float64).mul(1.0).item()),
        "fused": float(timm.layers.use_fused_attn()),
    })
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_num_threads(3)
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.conv.fp32_precision = "ieee"
    torch.set_float32_matmul_precision("medium")
    torch.backends.mkldnn.set_flags(False)
    torch.backends.cuda.enable_flash_sdp(False)
    torch.set_autocast_enabled("cpu", True)
    torch.nn.modules.module.register_module_forward_hook(lambda *_: None)
    torch.set_flush_denormal(True)
    timm.layers.set_fused_attn(False)
"""


@pytest.mark.slow
def test_what_pytorch_and_timm_compute_with_is_put_back(tmp_path: Path) -> None:
    first, second, third = measured(_TORCH, tmp_path / "trains.py", "one", "two", "three")
    assert first == second == third
    assert first["bytes"] == 4
    assert first["denormal"] == 1e-310


_SETS_AT_IMPORT = """
import decimal
import numpy as np
from cbablate.records.measurement import Measurement
decimal.getcontext().prec = 12
np.seterr(all="ignore")

def run(config, *, seed, budget, workdir):
    precision, errors = decimal.getcontext().prec, np.geterr()["over"] == "ignore"
    yield Measurement(spent=1, metrics={"precision": float(precision), "ignores": float(errors)})
    decimal.getcontext().prec = 5
    np.seterr(all="raise")
"""


def test_what_a_workload_sets_when_it_is_imported_each_of_its_trials_meets(tmp_path: Path) -> None:
    before = np.geterr()
    found = measured(_SETS_AT_IMPORT, tmp_path / "sets.py", "one", "two")
    assert found == [{"precision": 12.0, "ignores": 1.0}] * 2
    np.seterr(**before)


_IMPORTS_LATE = """
import sys
from cbablate.records.measurement import Measurement

def run(config, *, seed, budget, workdir):
    new = "numpy" not in sys.modules
    import numpy as np
    yield Measurement(spent=1, metrics={
        "new": float(new), "raises": float(np.geterr()["over"] == "raise")})
    np.seterr(all="raise")
"""


@pytest.mark.slow
def test_a_library_that_a_trial_is_the_first_to_import_is_put_back_too(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from cbablate.running.executors.local_executor import LocalExecutor\n"
        "from cbablate.workloads.own_code.entry import Entry\n"
        "from cbablate.workloads.own_code.source import code_of\n"
        "for name in [n for n in sys.modules if n.partition('.')[0] == 'numpy']:\n"
        "    raise SystemExit(f'{name} was imported already')\n"
        "from cbablate.testing.feeds import Diary, trials_that\n"
        "path = Path(sys.argv[1])\n"
        "diary = Diary(trials_that('one', 'two', epochs=1))\n"
        "LocalExecutor().execute(diary, Entry('late:run', code_of('late', path.parent)))\n"
        "print([each.metrics for _, what, each in diary.told if what == 'measured'])\n"
    )
    path = tmp_path / "late.py"
    path.write_text(_IMPORTS_LATE)
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == str([{"new": 1.0, "raises": 0.0}, {"new": 0.0, "raises": 0.0}]), (
        done.stderr
    )


def test_what_cannot_be_put_back_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    picture = Picture(libraries=False)
    monkeypatch.chdir(tmp_path)
    gone.rmdir()
    assert picture.put_back() == ("the working directory",)


@pytest.mark.slow
def test_in_one_process_what_stays_is_said_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = (
        "import threading\n"
        "from cbablate.records.measurement import Measurement\n"
        "def run(config, *, seed, budget, workdir):\n"
        "    threading.Thread(target=threading.Event().wait, args=(5,), name='mine').start()\n"
        "    yield Measurement(spent=1, metrics={})\n"
    )
    measured(text, tmp_path / "leaves.py", "one", "two")
    said = capfd.readouterr().err
    assert said.count("a trial left behind what stays in this process: the thread 'mine'") == 1
    assert "without --on local" in said


@pytest.mark.slow
def test_many_files_that_a_trial_leaves_open_are_noticed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = (
        "from cbablate.records.measurement import Measurement\n"
        "files = []\n"
        "def run(config, *, seed, budget, workdir):\n"
        "    files[:] = []\n"
        "    if config['how'] == 'leaves':\n"
        "        files.extend(open('/dev/null') for _ in range(300))\n"
        "    yield Measurement(spent=1, metrics={})\n"
    )
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    try:
        measured(text, tmp_path / "tidy.py", "tidy")
        assert "open files" not in capfd.readouterr().err
        measured(text, tmp_path / "files.py", "leaves", "tidy")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert "open files of 512" in capfd.readouterr().err


_NEIGHBOURED = """
{top}
import numpy as np
from cbablate.records.measurement import Measurement

def run(config, *, seed, budget, workdir):
    {late}
    np.seterr(all="raise")
    yield Measurement(spent=1, metrics={{}})
"""


@pytest.mark.parametrize("late", [False, True])
def test_settings_of_a_trial_that_imports_modules_of_ones_own_are_suspect(
    late: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    name = f"neighbour_{late}".lower()
    (tmp_path / f"{name}.py").write_text("import numpy as np\n")
    statement = f"import {name}"
    text = _NEIGHBOURED.format(top="" if late else statement, late=statement if late else "pass")
    measured(text, tmp_path / "own.py", "one", "two")
    assert ("settings that a module of your own may have made" in capfd.readouterr().err) == late
