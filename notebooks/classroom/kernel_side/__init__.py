"""What runs in a student's kernel: this folder, and `observe.py` and `limits.py` of `checkpoints`.

It holds no secret and no formula; whatever the notebook does to it costs the notebook points.
"""
