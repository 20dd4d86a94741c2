from __future__ import annotations

import pytest
import timm

from cbablate.errors import StudyError
from cbablate.models.portrait import KNOWN, portrait
from cbablate.overviews.models_overview import listed


def test_a_portrait_is_of_the_whole_model_at_timms_size() -> None:
    found = portrait("vit_tiny_patch16_224")
    assert found.parameters == sum(
        parameter.numel() for parameter in timm.create_model("vit_tiny_patch16_224").parameters()
    )
    tokens, width, depth, classes = 197, 192, 12, 1000
    layers = 2 * tokens * width * 12 * width + 4 * tokens * tokens * width
    assert found.flops == depth * layers + 2 * 196 * width * 768 + 2 * width * classes
    assert found.tokens == (197,) * 12
    assert found.widths == (192,) * 12


def test_the_stages_of_a_hierarchical_model_are_told_apart() -> None:
    said = listed("pit_ti_224")
    assert "0-1     transformers.0.blocks: Block, 730 tokens of 64 channels" in said
    assert "8-11    transformers.2.blocks: Block, 50 tokens of 256 channels" in said
    assert "not head.front: the last norm of a PiT" in said


def test_models_that_a_pattern_means_are_listed_with_their_places() -> None:
    said = listed("resmlp_12*")
    assert "resmlp_12_224" in said
    assert "at mlp.front, mlp.mid, mlp.end, mlp_tokens.front, mlp_tokens.end" in said


@pytest.mark.slow
def test_a_class_attention_stage_is_left_alone_and_said() -> None:
    assert "left alone: blocks_token_only.0, blocks_token_only.1" in listed("cait_xxs24_224")


@pytest.mark.slow
def test_a_model_of_no_known_family_says_so_and_claims_only_what_its_run_shows() -> None:
    found = portrait("mvitv2_tiny")
    assert found.family == ""
    assert "block.end" not in found.places
    assert "gives it tuple" in found.absent["block.end"]


def test_a_model_without_blocks_says_so() -> None:
    assert "no blocks that context can be placed in" in listed("vgg11")


def test_a_name_that_means_nothing_or_too_much_is_refused() -> None:
    with pytest.raises(StudyError, match=r"close to it are .*vit_tiny_patch16_224"):
        listed("vit_tiny_patch17_224")
    with pytest.raises(StudyError, match="say more of the name"):
        listed("vit_*")


def test_the_known_models_are_timms() -> None:
    assert [name for name in KNOWN if not timm.is_model(name)] == []
