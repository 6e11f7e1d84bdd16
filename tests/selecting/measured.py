"""Texts as a pipeline would see them, made by hand."""

import numpy as np

from domain_ner.selecting.measuring import N_DIMENSIONS, Found, Measured, unit


def measured(text, *, n_tokens=5, found=(), wrong=None, missed=None, best=0.9, second=0.05, entropy=0.3, direction=0):
    """direction: texts with the same one are alike; those with another have nothing in common."""
    vector = np.zeros(N_DIMENSIONS, dtype=np.float32)
    vector[direction % N_DIMENSIONS] = 1
    wrong, missed = {"INFRA": 0.0, **(wrong or {})}, {"INFRA": 0.0, **(missed or {})}
    return Measured(text, n_tokens, tuple(found), wrong, missed, best, second, entropy, unit(vector))


def with_errors(text, n, **more):
    return measured(text, missed={"INFRA": float(n)}, **more)


REDIS = Found(0, 5, "INFRA", 0.6)
