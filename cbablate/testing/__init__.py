"""What every executor, ledger, store, mirror, probe and workload promises, as suites that their tests inherit.

The one room that imports pytest; nothing else of cbablate imports it.
"""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{port}"
        for port in ("executor", "group_workload", "ledger", "mirror", "probe", "store")
    )
)
