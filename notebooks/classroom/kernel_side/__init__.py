"""What runs in a student's kernel: this folder, and copies from `checkpoints`, see folder.py.

It holds no secret and no formula; whatever the notebook does to it costs the notebook points.
"""
