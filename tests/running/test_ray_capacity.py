"""How many trials fit on Ray's nodes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.errors import EnvironmentFault
from cbablate.running.executors.ray_capacity import Node, nodes_of, room, whole_gpus
from cbablate.spec.needs import Needs


def nodes(*sizes: tuple[float, float]) -> list[Node]:
    return [Node(f"n{i}", cpus, gpus) for i, (cpus, gpus) in enumerate(sizes)]


@pytest.mark.parametrize(
    ("sizes", "cpus", "gpus", "slots"),
    [
        ([(2, 0)], 1, 0.0, 2),
        ([(16, 4)], 1, 1.0, 4),
        ([(16, 2)], 1, 0.25, 8),
        ([(16, 4)], 1, 2.0, 2),
        ([(16, 2)], 1, 0.4, 4),  # not five: a share is of one GPU
        ([(16, 1), (16, 1)], 1, 0.4, 4),
        ([(16, 2)], 1, 0.6, 2),
        ([(16, 3), (16, 3)], 1, 2.0, 2),  # the third GPUs of both are on two nodes
        ([(2, 8)], 1, 0.5, 2),  # as many as there are cores
        ([(0, 0), (4, 0)], 1, 0.0, 4),  # a head without cores takes none
        ([(3, 0), (3, 0)], 2, 0.0, 2),
        ([(4, 0)], 0.5, 0.0, 8),
        ([(64, 1)], 1, 0.1, 10),
        ([(64, 1)], 1, 1 / 3, 3),
        ([(64, 0), (8, 2)], 1, 1.0, 2),
    ],
)
def test_trials_are_counted_node_by_node_and_gpu_by_gpu(
    sizes: list[tuple[float, float]], cpus: float, gpus: float, slots: int
) -> None:
    assert room(nodes(*sizes), Needs(cpus=cpus, gpus=gpus)) == slots


@given(
    sizes=st.lists(st.tuples(st.integers(0, 64), st.integers(0, 8)), min_size=1, max_size=6),
    tenths=st.integers(1, 10),
)
def test_no_gpu_is_promised_more_than_once(sizes: list[tuple[int, int]], tenths: int) -> None:
    found = sum(node.holds(Needs(gpus=tenths / 10)) for node in nodes(*sizes))
    assert found == sum(min(cpus, gpus * (10 // tenths)) for cpus, gpus in sizes)


@pytest.mark.parametrize(
    ("sizes", "cpus", "gpus", "cause"),
    [
        ([(2, 1), (2, 1)], 1, 2.0, r"1 core and 2 GPUs, all on one node.*n0 \(2 cores, 1 GPU\)"),
        ([(2, 0)], 1, 0.5, r"1 core and 0.5 GPUs.*--gpus-per-trial"),
        ([(0, 0)], 1, 0.0, r"1 core, .*n0 \(0 cores, 0 GPUs\).*free cores"),
        ([], 1, 0.0, "no node at all"),
    ],
)
def test_what_no_node_holds_is_a_sentence_and_no_wait(
    sizes: list[tuple[float, float]], cpus: float, gpus: float, cause: str
) -> None:
    with pytest.raises(EnvironmentFault, match=cause):
        room(nodes(*sizes), Needs(cpus=cpus, gpus=gpus))


def test_dead_nodes_and_nodes_without_resources_do_not_count() -> None:
    listed = [
        {"Alive": True, "NodeManagerHostname": "a", "Resources": {"CPU": 2.0, "GPU": 1.0}},
        {"Alive": False, "NodeManagerHostname": "b", "Resources": {"CPU": 8.0, "GPU": 4.0}},
        {"Alive": True, "NodeManagerAddress": "10.0.0.1", "Resources": {}},
    ]
    found = nodes_of(listed)
    assert [str(node) for node in found] == ["a (2 cores, 1 GPU)", "10.0.0.1 (0 cores, 0 GPUs)"]
    assert room(found, Needs(gpus=0)) == 2
    assert whole_gpus(found) == 1.0
    assert whole_gpus(found[1:]) == 0.0


def test_memory_counts_where_a_trial_says_what_it_takes() -> None:
    offered = [Node("a", 8, 0, memory=10e9), Node("b", 8, 0, memory=3e9)]
    assert room(offered, Needs(gpus=0.0, memory=4_000_000_000)) == 2
    with pytest.raises(EnvironmentFault, match=r"1 core and 20 GB of memory, all on one node"):
        room(offered, Needs(gpus=0.0, memory=20_000_000_000))


@pytest.mark.parametrize(
    ("needs", "remedy"),
    [
        (
            Needs(gpus=0.0, memory=20_000_000_000),
            r"\) with 10 GB\. Start a node with more memory\.",
        ),
        (Needs(gpus=0.0, nodes=2), r"A trial runs on one node\."),
        (Needs(cpus=128, gpus=1.0), r"Start a node with free cores\."),
        (Needs(gpus=2.0), r"Lower --gpus-per-trial"),
    ],
)
def test_the_remedy_is_about_what_does_not_fit(needs: Needs, remedy: str) -> None:
    with pytest.raises(EnvironmentFault, match=remedy):
        room([Node("a", 8, 1, memory=10e9)], needs)


def test_a_trial_that_reserves_nothing_has_a_slot_for_each_core() -> None:
    assert room([Node("a", 8, 0)], Needs(cpus=0, gpus=0.0)) == 8


def test_the_remedy_names_whoever_asked_for_the_gpus() -> None:
    with pytest.raises(EnvironmentFault, match=r"Lower `gpus` in the workload's `needs`"):
        room(nodes((8, 1)), Needs(gpus=9.0), of_workload=True)
    with pytest.raises(EnvironmentFault, match=r"Lower --gpus-per-trial, or leave it out\.$"):
        room(nodes((8, 1)), Needs(gpus=9.0))
