"""The machine: its processor, and how fast it multiplies matrices, by NumPy, TensorFlow, PyTorch.

What a step is compared with: the best library's rate. Each is measured in its own process, where
no other's threads are.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

LIBRARIES = {"NumPy": "numpy", "TensorFlow": "tensorflow", "PyTorch": "torch"}
WITHOUT_AVX512 = {  # what makes these libraries take the instructions of an older processor
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_MAX_CPU_ISA": "AVX2",  # its older name
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}
THREADS = "TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"
CPUINFO = Path("/proc/cpuinfo")  # of Linux
TO_INSTALL = "pip install torch --index-url https://download.pytorch.org/whl/cpu"


def has_torch() -> bool:
    """Whether PyTorch is installed; this project never needs it."""
    return importlib.util.find_spec("torch") is not None


def processor() -> dict[str, object]:
    """Give the processor's model, its flags (of x86 and ARM those for vectors), and its cores.

    The flags are those of the processor; with `environment(avx512=False)` fewer are used. "busy
    before" is the share of the cores that is at work now, for a second.
    """
    text = CPUINFO.read_text() if CPUINFO.is_file() else ""
    model = re.search(r"^model name\s*: (.*)", text, re.M)
    flags = re.search(r"^(?:flags|Features)\s*: (.*)", text, re.M)
    found = flags[1].split() if flags else []
    vector = [flag for flag in found if re.match("avx|fma|amx|sve|asimd|f16c|sse4", flag)]
    model = model[1] if model else platform.processor() or platform.machine()
    found = {"processor": model, "flags": " ".join(vector or found), "cores": os.cpu_count()}
    return found | {"busy before": psutil.cpu_percent(1.0) / 100}


def environment(threads: int | None = None, avx512: bool = True) -> dict[str, str]:
    """The environment of a process that is measured."""
    chosen = {} if threads is None else dict.fromkeys(THREADS, str(threads))
    return os.environ | chosen | ({} if avx512 else WITHOUT_AVX512)


def rates(surroundings: dict[str, str] | None = None, but: str = "") -> dict[str, float]:
    """GFLOP/s of a matrix product, by library, best first, without `but`; a process each."""
    found = {}
    for name, module in LIBRARIES.items():
        if name != but and importlib.util.find_spec(module):
            command = [sys.executable, str(Path(__file__).parent), "--one-rate", name]
            done = subprocess.run(command, env=surroundings, capture_output=True, check=True)
            found[name] = json.loads(done.stdout.splitlines()[-1])
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def one_rate(library: str, side: int = 4096, seconds: float = 3.0) -> float:
    """GFLOP/s of a product of two float32 matrices, `side` x `side`; the best of some seconds."""
    product = {"NumPy": _numpy, "TensorFlow": _tensorflow, "PyTorch": _torch}[library](side)
    times, begun = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        product()
        times.append(time.perf_counter() - start)
    return 2 * side**3 / min(times) / 1e9


def _numpy(side: int) -> Callable[[], object]:
    a = np.random.default_rng(0).normal(size=(side, side)).astype("f4")
    return lambda: a @ a


def _tensorflow(side: int) -> Callable[[], object]:
    import tensorflow as tf

    a, product = tf.random.normal((side, side)), tf.function(lambda a: a @ a)
    return lambda: product(a)[0, 0].numpy()


def _torch(side: int) -> Callable[[], object]:
    import torch

    a = torch.randn(side, side)
    return lambda: a @ a
