import pytest
import torch

from domain_ner.devices import CPU, choose_gpu
from domain_ner.errors import DomainNerError

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
    with pytest.raises(DomainNerError, match="GPU 0 was asked for, but PyTorch sees no GPU"):
        choose_gpu("0")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_a_gpu_number_beyond_the_last_is_an_error():
    with pytest.raises(DomainNerError, match="there are only"):
        choose_gpu("99")
