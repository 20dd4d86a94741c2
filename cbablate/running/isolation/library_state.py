"""What NumPy, PyTorch and timm compute with by default, as parts of a process's state.

None is imported here: what nobody has imported has nothing to put back. What a trial is the first
to import is taken as it is right after the import, before the trial can alter it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from cbablate.running.isolation.facet import Facet, keep, variable

__all__ = ["LIBRARIES", "at_import", "settings_of"]


def settings_of(library: str) -> list[Facet]:
    """The settings of a library, if it has been imported."""
    module = sys.modules.get(library)
    return [] if module is None else list(LIBRARIES[library](module))


def at_import(note: Callable[[str], None]) -> Callable[[], None]:
    """Have `note` called with a library's name as soon as it has been imported for the first time.

    Returns a function that ends this.
    """
    finder = _Finder(note)
    sys.meta_path.insert(0, finder)

    def end() -> None:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)

    return end


class _Finder:
    """Finds nothing by itself; adds a word at the end of what executes a library's module."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._asked: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in LIBRARIES or name in self._asked:
            return None
        self._asked.add(name)  # the question below comes back to this finder
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._asked.discard(name)
        loader: Any = spec.loader if spec is not None else None
        if loader is None:
            return spec
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            self._note(name)

        loader.exec_module = exec_module
        return spec


def _numpy(numpy: Any) -> Iterator[Facet]:
    yield Facet("NumPy's errors", numpy.geterr, lambda kept: numpy.seterr(**kept))
    yield Facet("NumPy's handler of errors", numpy.geterrcall, numpy.seterrcall)
    yield Facet(
        "NumPy's printing", numpy.get_printoptions, lambda kept: numpy.set_printoptions(**kept)
    )


def _timm(_timm: Any) -> Iterator[Facet]:
    """The switches of timm's layers, which are module variables."""
    config = sys.modules.get("timm.layers.config")
    if config is None:
        return
    for name, value in vars(config).items():
        if name.startswith("_") and not name.startswith("__") and isinstance(value, bool | int):
            yield variable(f"timm's {name.strip('_').lower()}", config, name)


_UNLIKE = {
    "deterministic_algorithms",  # its setter wants a second word
    "dispatch_mode",
    "fake_constant",
    "tensor_metadata",
    "thread_name",
    "torch_function_state",
    "tracing_state",
    "value_trace",
}
"""Names that PyTorch has a getter and a setter for, and that do not stand for one value."""

_PRECISIONS = [
    (backend, operator)
    for backend, operators in {
        "generic": ("all",),
        "cuda": ("all", "matmul", "conv", "rnn"),
        "mkldnn": ("all", "matmul", "conv", "rnn"),
    }.items()
    for operator in operators
]


def _torch(torch: Any) -> Iterator[Facet]:
    yield Facet("PyTorch's default type", torch.get_default_dtype, torch.set_default_dtype)
    yield Facet(
        "PyTorch's default device", lambda: _default_device(torch), torch.set_default_device
    )
    yield Facet("PyTorch's threads", torch.get_num_threads, torch.set_num_threads)
    yield Facet("PyTorch's threads between operators", torch.get_num_interop_threads, keep)
    yield Facet("PyTorch's gradient mode", torch.is_grad_enabled, torch._C._set_grad_enabled)
    yield Facet("PyTorch's inference mode", torch.is_inference_mode_enabled, keep)
    yield Facet(
        "PyTorch's search for anomalies", torch.is_anomaly_enabled, torch.set_anomaly_enabled
    )
    yield Facet(
        "the flushing of denormal numbers",
        lambda: 5e-324 * 1.0 == 0.0,  # the processor's mode, which Python's own numbers obey, too
        torch.set_flush_denormal,
    )
    yield Facet(
        "PyTorch's deterministic algorithms",
        lambda: (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        ),
        lambda both: torch.use_deterministic_algorithms(both[0], warn_only=both[1]),
    )
    yield from _precisions(torch._C)
    yield from _switches(torch._C)
    yield from _attention(torch)
    yield from _autocast(torch)
    yield from _global_hooks()
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        yield Facet("the CUDA device", torch.cuda.current_device, torch.cuda.set_device)
        # An error of CUDA stays with its process: nothing can be computed there any more.
        yield Facet("CUDA, which has met an error", lambda: torch.cuda.synchronize(), keep)


def _default_device(torch: Any) -> Any:
    """The default device; None if nobody has set one, or the one that is PyTorch's own."""
    device = torch.get_default_device()
    return None if device == torch.device("cpu") else device


def _precisions(internal: Any) -> Iterator[Facet]:
    """How 32-bit floats are multiplied, by backend and operator.

    Before the switches: the older switches cannot be read while these contradict them.
    """
    get = getattr(internal, "_get_fp32_precision_getter", None)
    put = getattr(internal, "_set_fp32_precision_setter", None)
    if get is None or put is None:
        return
    for backend, operator in _PRECISIONS:
        yield Facet(
            f"PyTorch's precision of {backend} {operator}",
            partial(get, backend, operator),
            partial(put, backend, operator),
        )


def _switches(internal: Any) -> Iterator[Facet]:
    """Every setting of PyTorch that is a pair of `_get_` and `_set_`: cuDNN's, cuBLAS's, ..."""
    for getter in dir(internal):
        name = getter.removeprefix("_get_")
        setter = getattr(internal, f"_set_{name}", None)
        if name == getter or setter is None or name in _UNLIKE:
            continue
        yield Facet(f"PyTorch's {name}", getattr(internal, getter), partial(_called, setter))


def _called(setter: Callable[..., Any], value: Any) -> None:
    setter(*value) if isinstance(value, tuple) else setter(value)


def _attention(torch: Any) -> Iterator[Facet]:
    """Which kernels attention may use."""
    cuda = torch.backends.cuda
    for kernel in ("flash", "mem_efficient", "math", "cudnn"):
        get = getattr(cuda, f"{kernel}_sdp_enabled", None)
        put = getattr(cuda, f"enable_{kernel}_sdp", None)
        if get is not None and put is not None:
            yield Facet(f"PyTorch's {kernel} attention", get, put)


def _autocast(torch: Any) -> Iterator[Facet]:
    yield Facet(
        "autocast's cache", torch.is_autocast_cache_enabled, torch.set_autocast_cache_enabled
    )
    for device in ("cpu", "cuda"):
        yield Facet(
            f"autocast on {device}",
            partial(torch.is_autocast_enabled, device),
            partial(torch.set_autocast_enabled, device),
        )
        yield Facet(
            f"autocast's type on {device}",
            partial(torch.get_autocast_dtype, device),
            partial(torch.set_autocast_dtype, device),
        )


def _global_hooks() -> Iterator[Facet]:
    """The hooks that run for every module of every network."""
    module = sys.modules.get("torch.nn.modules.module")
    for name, value in list(vars(module).items()) if module else ():
        if name.startswith("_global_") and isinstance(value, dict):
            yield Facet("PyTorch's global hooks", partial(dict, value), partial(_refilled, value))
        elif name.startswith("_global_"):
            yield variable("PyTorch's global hooks", module, name)


def _refilled(hooks: dict[Any, Any], kept: dict[Any, Any]) -> None:
    hooks.clear()
    hooks.update(kept)


LIBRARIES: dict[str, Callable[[Any], Iterator[Facet]]] = {
    "numpy": _numpy,
    "torch": _torch,
    "timm": _timm,
}
