"""Printing a table must not wait for libraries that it does not need."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("torch", "timm", "ray", "optuna", "mlflow", "scipy", "numpy", "matplotlib", "pandas")


def test_analysis_and_tables_import_nothing_heavy() -> None:
    script = (
        "import sys; import cbablate.analysis.summary, cbablate.reporting.forms.form, "
        "cbablate.reporting.pages.publication; "
        f"print(*[name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []
