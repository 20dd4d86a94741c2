"""What every implementation of a port promises, as suites that its tests inherit.

The suites of executors, ledgers, stores, mirrors and probes are classes of pytest tests; that of
workloads needs no pytest. Nothing else of cbablate imports this room.
"""

import sys

_SUITES = ("executor", "group_workload", "ledger", "mirror", "probe", "store")

if "pytest" in sys.modules:
    sys.modules["pytest"].register_assert_rewrite(*(f"{__name__}.{port}" for port in _SUITES))
