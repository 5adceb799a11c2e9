"""How arrays, numbers and text travel between the grader and a kernel: as plain JSON."""

from __future__ import annotations

import base64

import numpy as np

DTYPES = ("f2", "f4", "f8", "i4", "i8", "u1", "b1", "i1", "i2")


def pack(value: object) -> object:
    """Arrays, numbers, text, lists and dicts as plain JSON; everything else becomes None."""
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.kind not in "fiub":
            return None
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"array": [value.dtype.str, list(value.shape), data]}
    if isinstance(value, dict):
        return {"dict": {str(key): pack(item) for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"list": [pack(item) for item in value]}
    return value if isinstance(value, (str, int, float, bool)) else None


def unpack(value: object) -> object:
    """The reverse of `pack`, for values that may be hostile. Raises ValueError and its like."""
    if type(value) is not dict:
        if type(value) is list:
            raise ValueError("a bare list")
        return value
    ((kind, content),) = value.items()
    if kind == "dict":
        return {key: unpack(item) for key, item in content.items()}
    if kind == "list":
        return [unpack(item) for item in content]
    dtype, shape, data = content
    if kind != "array" or dtype[1:] not in DTYPES:
        raise ValueError(f"{kind} of {dtype}")
    return np.frombuffer(base64.b64decode(data), np.dtype(dtype)).reshape(shape).copy()
