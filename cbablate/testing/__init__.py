"""What every implementation of a port promises, as suites that its tests inherit.

The one room that imports pytest; nothing else of cbablate imports it.
"""

import pytest

PORTS = ("executor", "group_workload", "ledger", "mirror", "probe", "store")

pytest.register_assert_rewrite(*(f"{__name__}.{port}" for port in PORTS))
