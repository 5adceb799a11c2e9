"""What runs in a student's kernel: this folder and `checkpoints/observe.py`, copied there.

It holds no secret and no formula; whatever the notebook does to it costs the notebook points.
"""
