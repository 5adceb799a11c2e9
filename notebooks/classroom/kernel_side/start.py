"""Starts the kernel in this process, with its limits: python kernel_side/start.py -f CONNECTION."""

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
sys.path[0] = str(FOLDER)
from kernel_side import fence  # noqa: E402

settings = json.loads((FOLDER / "settings.json").read_text(encoding="utf-8"))
fence.limit(settings)
fence.confine(settings)
# Now, and before `guard`, which would be asked thousands of times: TensorFlow, some 4 s that are
# not the student's.
from ipykernel.kernelapp import IPKernelApp  # noqa: E402

import kernel_side.ask  # noqa: E402, F401

fence.guard(settings)
IPKernelApp.launch_instance()
