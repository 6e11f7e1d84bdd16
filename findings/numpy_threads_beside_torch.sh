#!/usr/bin/env bash
# A small product of NumPy between two layers of PyTorch slows both on several cores: each library has a set of threads, which
# keep spinning for a while after their work, and so take the cores from the other set. Where an encoder in PyTorch and a head
# in NumPy take turns, text by text, two threads are then slower than one. NumPy's BLAS in one thread mends it
# (`threadpoolctl`, or OPENBLAS_NUM_THREADS=1 before NumPy is imported). thinc is safe by default: its Blis has no threads.
set -euo pipefail
if [ "$(python3 -c 'import os; print(len(os.sched_getaffinity(0)))')" -lt 2 ]; then
    echo "It needs two cores."
    exit 0
fi
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet numpy==2.4.6 torch==2.13.0 threadpoolctl==3.8.0
OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=2 "$room/venv/bin/python" <<'PYTHON'
from contextlib import nullcontext
from statistics import median
from time import perf_counter

import numpy as np
import torch
from threadpoolctl import threadpool_limits

torch.set_num_threads(2)
torch.manual_seed(0)
encoder = torch.nn.Sequential(*[torch.nn.Linear(384, 384) for _ in range(24)])
head, vectors = np.random.rand(768, 105).astype("float32"), np.random.rand(40, 768).astype("float32")
pieces = torch.rand(40, 384)


def text():
    with torch.no_grad():
        encoder(pieces)
    for _ in range(4):
        vectors @ head


def milliseconds(limit):
    times = []
    for _ in range(7):
        begun = perf_counter()
        with limit():
            for _ in range(60):
                text()
        times.append((perf_counter() - begun) / 60 * 1000)
    return median(times)


milliseconds(nullcontext)
two, one = milliseconds(nullcontext), milliseconds(lambda: threadpool_limits(1, user_api="blas"))
print(f"numpy {np.__version__}, torch {torch.__version__}: {two:.2f} ms a text with NumPy's two threads, {one:.2f} ms with one")
assert two > 1.3 * one, "no longer slower"
PYTHON
