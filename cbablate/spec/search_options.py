"""What each option of a sampler or a pruner means, in words, for a reference of sweep files."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

__all__ = ["OPTIONS"]

OPTIONS: Mapping[str, tuple[str, Any]] = MappingProxyType(
    {
        "n_startup_trials": (
            "How many trials are drawn at random (of a pruner: are not judged) before it begins.",
            8,
        ),
        "n_ei_candidates": (
            "How many candidates TPE draws for each proposal.",
            24,
        ),
        "multivariate": (
            "Whether TPE models keys together, not one by one.",
            True,
        ),
        "group": (
            "Whether a multivariate TPE models keys that occur together in groups of their own.",
            True,
        ),
        "constant_liar": (
            "Whether trials under way count as bad ones, so that proposals differ.",
            True,
        ),
        "deterministic_objective": (
            "Whether the same values always give the same result.",
            False,
        ),
        "sigma0": (
            "The spread that the search starts with.",
            0.3,
        ),
        "popsize": (
            "How many proposals a generation has.",
            8,
        ),
        "use_separable_cma": (
            "Whether keys are taken as unrelated, for many keys.",
            True,
        ),
        "with_margin": (
            "Whether whole numbers keep a least probability to change.",
            True,
        ),
        "lr_adapt": (
            "Whether the learning rate of the search adapts to noise.",
            True,
        ),
        "consider_pruned_trials": (
            "Whether pruned trials are learnt from.",
            False,
        ),
        "population_size": (
            "How many trials a generation has.",
            24,
        ),
        "mutation_prob": (
            "The probability that a key is drawn anew; one over the number of keys if left out.",
            0.1,
        ),
        "crossover_prob": (
            "The probability that a proposal mixes two parents.",
            0.9,
        ),
        "swapping_prob": (
            "The probability that a key comes from the second parent.",
            0.5,
        ),
        "qmc_type": (
            "Which sequence of points.",
            "sobol",
        ),
        "scramble": (
            "Whether the sequence is scrambled by the seed.",
            True,
        ),
        "first_rung": (
            "What a trial has spent of its budget before it is first judged; 1 if left out.",
            4,
        ),
        "reduction": (
            "How many trials there are for each that goes on; 3 if left out.",
            3,
        ),
        "min_early_stopping_rate": (
            "How many of the first rungs are left out.",
            1,
        ),
        "bootstrap_count": (
            "How many trials a rung must have before it judges.",
            2,
        ),
        "interval": (
            "What lies between two judgements, in the budget's unit.",
            2,
        ),
        "n_min_trials": (
            "How many trials must have reached a rung before it judges.",
            3,
        ),
        "percentile": (
            "The share of trials, in percent, that goes on.",
            25.0,
        ),
        "patience": (
            "How many measurements without progress end a trial.",
            3,
        ),
        "min_delta": (
            "The least change that counts as progress.",
            0.001,
        ),
        "p_threshold": (
            "The p value below which a trial is called worse than the best one.",
            0.1,
        ),
        "n_startup_steps": (
            "How many measurements a trial has before it is judged.",
            5,
        ),
        "lower": (
            "Trials whose value is below end.",
            0.2,
        ),
        "upper": (
            "Trials whose value is above end.",
            10.0,
        ),
    }
)
"""What each option of a sampler or a pruner is, in words, and a value; one name means the same
everywhere."""
