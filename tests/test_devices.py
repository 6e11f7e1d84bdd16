import os
import subprocess
import sys

import pytest
import torch
from memory import KEPT, MEMORY
from threadpoolctl import threadpool_info, threadpool_limits

from domain_ner import devices
from domain_ner.devices import CACHE_LIMITS, CPU, choose_gpu, limit_kernel_cache, one_blas_thread
from domain_ner.errors import DomainNerError
from domain_ner.transformer.model import has_cpu_bfloat16

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


def test_the_cpu_is_always_there():
    assert choose_gpu("-1") == CPU


@pytest.mark.parametrize("wanted", ["gpu", "", "-2", "1.5"])
def test_what_is_no_gpu_number_is_an_error(wanted):
    with pytest.raises(DomainNerError, match="expected -1 .the CPU., 0 or higher"):
        choose_gpu(wanted)


@without_gpu
def test_auto_takes_the_cpu_where_there_is_no_gpu():
    assert choose_gpu("auto") == CPU


@without_gpu
def test_a_gpu_that_is_asked_for_and_absent_is_an_error():
    with pytest.raises(DomainNerError, match="GPU 0 was requested, but PyTorch sees no GPU"):
        choose_gpu("0")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_a_gpu_number_beyond_the_last_is_an_error():
    with pytest.raises(DomainNerError, match="there are only"):
        choose_gpu("99")


# Multiplies the smallest and the largest matrix, then all 150 sizes; prints by how many MB the process grew by these.
SHAPED = f"""{MEMORY}
import sys, torch
from domain_ner.devices import limit_kernel_cache
if "few" in sys.argv:
    limit_kernel_cache()
layer = torch.nn.Linear(384, 1536)
def kept(rows):
    for n in rows:
        with torch.autocast("cpu", torch.bfloat16):
            layer(torch.ones(n, 384, requires_grad=True)).sum().backward()
    return memory_mb("{KEPT}")
print(-kept([850, 999]) + kept(range(850, 1000)))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
@pytest.mark.skipif(not has_cpu_bfloat16(), reason="this CPU has no bfloat16 units")
def test_memory_does_not_grow_with_the_number_of_shapes():
    environment = {name: value for name, value in os.environ.items() if name not in CACHE_LIMITS}
    command = [sys.executable, "-c", SHAPED]
    grown = [
        float(subprocess.run([*command, how], env=environment, capture_output=True, check=True, text=True).stdout)
        for how in ("many", "few")
    ]
    assert grown[1] < grown[0] / 2


def test_how_many_shapes_the_environment_wants_stays(monkeypatch):
    for name in CACHE_LIMITS:
        monkeypatch.setenv(name, "7")
    limit_kernel_cache()
    assert [os.environ[name] for name in CACHE_LIMITS] == ["7", "7"]


def n_blas_threads():
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_numpys_products_use_one_thread_for_a_while_in_any_thread():
    with threadpool_limits(2, user_api="blas"):
        before = n_blas_threads()
        with one_blas_thread():
            assert n_blas_threads() == {1}
            with one_blas_thread():
                pass
            assert n_blas_threads() == {1}  # the outer one holds
        assert n_blas_threads() == before == {2}
        with pytest.raises(KeyError), one_blas_thread():
            raise KeyError
        assert n_blas_threads() == before
        first, second = one_blas_thread(), one_blas_thread()  # as in two threads, which need not end in order
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert n_blas_threads() == {1}
        second.__exit__(None, None, None)
        assert n_blas_threads() == before


def test_without_threadpoolctl_numpys_threads_stay_as_they_are(monkeypatch):
    """An older pipeline does not require it."""
    monkeypatch.setattr(devices, "_blas", lambda: None)
    with threadpool_limits(2, user_api="blas"), one_blas_thread():
        assert n_blas_threads() == {2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_forked_process_does_not_wait_for_a_thread_that_it_lacks():
    one_blas_thread.__self__._lock.acquire()
    child = os.fork()
    if not child:
        with one_blas_thread():
            os._exit(0)
    one_blas_thread.__self__._lock.release()
    assert os.waitpid(child, 0)[1] == 0
