"""`Compute`: on what, and in which precision, a network is trained."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch

from cbablate.errors import EnvironmentFault

__all__ = ["Compute", "alone", "choose"]

Item = TypeVar("Item")


@dataclass(frozen=True)
class Compute:
    """A device, the precision of its matrix products, and how many threads feed it.

    Weights are float32 always; `bfloat16` is autocast around the forward pass.
    """

    device: torch.device
    precision: Literal["float32", "bfloat16"]

    def autocast(self) -> AbstractContextManager[object]:
        """The block in which a forward pass runs."""
        return torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16"
        )

    def seed(self, seed: int) -> None:
        """Seed the generators that this device's random operations draw from.

        `torch.manual_seed` would do, but where CUDA is built in and not in use it takes a
        traceback at each call, a tenth of a small update.
        """
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def synchronize(self) -> None:
        """Wait until the device has done what it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    @property
    def name(self) -> str:
        """The device in words: the GPU's model, or `cpu`."""
        if self.device.type == "cuda":
            return str(torch.cuda.get_device_name(self.device))
        return self.device.type

    @contextlib.contextmanager
    def settings(self) -> Iterator[None]:
        """The process-wide settings that numbers depend on, for the length of a block.

        One thread on a CPU (another number of threads sums in another order), full float32
        products, gradients on. What was set before is set again afterwards.
        """
        threads = torch.get_num_threads()
        products = torch.get_float32_matmul_precision()
        try:
            if self.device.type == "cpu":
                torch.set_num_threads(1)
            torch.set_float32_matmul_precision("highest")
            with torch.inference_mode(False), torch.enable_grad():
                yield
        finally:
            torch.set_num_threads(threads)
            torch.set_float32_matmul_precision(products)


def choose(precision: Literal["auto", "float32", "bfloat16"] = "auto") -> Compute:
    """The GPU of this process if there is one, else the CPU.

    `auto` is bfloat16 on a GPU that has it, float32 elsewhere.

    Raises:
        EnvironmentFault: bfloat16 is asked for and the GPU lacks it.
    """
    if not torch.cuda.is_available():
        return Compute(torch.device("cpu"), "bfloat16" if precision == "bfloat16" else "float32")
    device = torch.device("cuda", torch.cuda.current_device())
    has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "bfloat16" and not has_bfloat16:
        raise EnvironmentFault(
            f"precision: bfloat16 is asked for, but {torch.cuda.get_device_name(device)} has no "
            "bfloat16; write precision: float32, or auto"
        )
    if precision == "auto":
        return Compute(device, "bfloat16" if has_bfloat16 else "float32")
    return Compute(device, precision)


def alone(stream: Generator[Item, None, None], compute: Compute) -> Generator[Item, None, None]:
    """The same stream, its work done under `compute.settings()`.

    Between two items the process has its own settings back: whoever reads the stream, another
    trial included, runs under those. Closing this stream closes the inner one.
    """
    with contextlib.closing(stream):
        while True:
            with compute.settings():
                try:
                    item = next(stream)
                except StopIteration:
                    return
            yield item
