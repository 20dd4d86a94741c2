"""The contract, asked of every probe of the catalog."""

from __future__ import annotations

from collections import defaultdict

import pytest

from cbablate.probes.catalog import PROBES
from cbablate.probes.measuring import measure
from cbablate.probes.probe import ProbeResult, Subject
from cbablate.spec.choice import code_at
from cbablate.testing.probe import Convolutions, ProbeContract, subject_of
from cbablate.workloads.images.image_metrics import METRICS
from tests.probes.subjects import subject as made

GROUPS: dict[str, list[str]] = defaultdict(list)
for _name, _entry in PROBES.items():
    GROUPS[_entry.measure].append(_name)


class Shipped(ProbeContract):
    @pytest.fixture
    def subject(self) -> Subject:
        return made()


for _where, _names in GROUPS.items():
    _title = "Test" + _where.partition(":")[0].rpartition(".")[2].title().replace("_", "")
    globals()[_title] = type(
        _title, (Shipped,), {"probe": staticmethod(code_at(_where)), "asked": frozenset(_names)}
    )


def test_a_network_of_convolutions_lacks_what_it_lacks_for_these_reasons() -> None:
    subject = subject_of(Convolutions().eval())
    assert {absent.reason for absent in measure(subject, [*PROBES]).absent.values()} == {
        "at 8 x 8 pixels its highest severity changes none by a grey level",
        "peak memory is known of a GPU only, not of a CPU",
        "the model has no attention between tokens",
        "the model has no transformer blocks",
    }


def test_no_two_probes_measure_one_metric_and_all_are_described() -> None:
    names = [metric.name for entry in PROBES.values() for metric in entry.metrics]
    assert len(names) == len(set(names))
    assert set(names) <= set(METRICS)
    assert all(
        metric.axis and metric.label for entry in PROBES.values() for metric in entry.metrics
    )


def test_nothing_asked_is_nothing_measured() -> None:
    assert measure(made(), []) == ProbeResult({}, {}, {})


def test_one_alone_finds_what_it_finds_among_others() -> None:
    alone = measure(made(), ["jacobian"])
    among = measure(made(), ["entropy", "distance", "jacobian", "share"])
    assert alone.metrics.items() <= among.metrics.items()
