"""`python -m docs.generator`: write the reference pages and the JSON Schemas in docs/ anew."""

from __future__ import annotations

import json

from cbablate.spec.loading.schema import study_schema, sweep_schema, workload_schema
from cbablate.workloads.catalog import SHIPPED
from docs.generator.reference import ROOT, pages


def main() -> None:
    """Write all that is made from the types."""
    docs = ROOT / "docs"
    for name, text in pages().items():
        (docs / name).write_text(text, encoding="utf-8")
    for of, schema in (
        ("study", study_schema(make() for make in SHIPPED.values())),
        ("sweep", sweep_schema()),
        ("workload", workload_schema()),
    ):
        text = json.dumps(schema, indent=2) + "\n"
        (docs / f"{of}.schema.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
