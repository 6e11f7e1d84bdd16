"""What replaces PyTorch's own functions must compute what they do."""

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from domain_ner.transformer import cpu_training  # noqa: E402
from domain_ner.transformer.cpu_training import LONG, CpuTraining, attention, dropout  # noqa: E402


def inputs(length, dtype=torch.bfloat16, seed=0):
    torch.manual_seed(seed)
    return [torch.randn(2, length, 3, 8).to(dtype).transpose(1, 2).requires_grad_() for _ in range(3)]


def masks(length):
    seen = torch.arange(length) < torch.tensor([length, length - 3])[:, None]
    seen = seen[:, None, None].expand(2, 1, length, length)
    return [None, seen, torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)]


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("scale", [None, 0.5])
def test_attention_is_that_of_the_fused_kernel(number, scale):
    """In float32 to compare with, since bfloat16 itself is coarse."""
    given, mask = inputs(20), masks(20)[number]
    exact = [one.detach().float().requires_grad_() for one in given]
    ours = attention(*given, attn_mask=mask, scale=scale)
    theirs = functional.scaled_dot_product_attention(*exact, attn_mask=mask, scale=scale)
    assert ours.dtype == torch.bfloat16
    assert torch.allclose(ours.float(), theirs, atol=0.02)
    ours.float().square().sum().backward()
    theirs.square().sum().backward()
    for one, other in zip(given, exact, strict=True):
        assert torch.allclose(one.grad.float(), other.grad, atol=0.06)


@pytest.mark.parametrize(("length", "dtype"), [(20, torch.float32), (LONG + 1, torch.bfloat16)])
def test_elsewhere_it_is_the_fused_kernel_itself(length, dtype):
    given = inputs(length, dtype)
    assert torch.equal(attention(*given), functional.scaled_dot_product_attention(*given))


def test_attention_drops_out_a_share_of_its_weights():
    query, key, _ = (one.detach() for one in inputs(64))
    tell = torch.eye(64, dtype=torch.bfloat16).expand(2, 3, 64, 64)  # what comes out are the weights themselves
    torch.manual_seed(0)
    kept, dropped = attention(query, key, tell), attention(query, key, tell, dropout_p=0.25)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.25, abs=0.01)
    assert torch.allclose(dropped[dropped > 0].float(), kept[dropped > 0].float() / 0.75, rtol=0.02)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(p):
    torch.manual_seed(0)
    given = torch.ones(400, 500, requires_grad=True)
    found = dropout(given, p)
    assert found.detach().unique().tolist() == pytest.approx([0.0, 1 / (1 - p)])
    assert float((found == 0).float().mean()) == pytest.approx(p, abs=0.005)
    for axis in (0, 1):  # no row or column is dropped more than others
        spread = (p * (1 - p) / given.shape[axis]) ** 0.5
        assert float((found == 0).float().mean(axis).std()) == pytest.approx(spread, rel=0.2)
    found.sum().backward()
    assert torch.equal(given.grad, found.detach())


def test_dropout_follows_the_seed_and_is_another_each_time():
    given = torch.ones(3, 5, 7)
    torch.manual_seed(3)
    first, second = dropout(given), dropout(given)
    torch.manual_seed(3)
    assert torch.equal(dropout(given), first)
    assert not torch.equal(first, second)


def test_dropout_at_its_ends_and_when_predicting():
    given = torch.randn(5)
    assert dropout(given, 0.0) is given
    assert dropout(given, 0.5, training=False) is given
    assert not dropout(given, 1.0).any()
    changed = given.clone()
    assert dropout(changed, 0.5, inplace=True) is changed
    assert not torch.equal(changed, given)
    assert dropout(torch.ones(0, 3)).shape == (0, 3)


def test_both_are_used_while_it_is_entered_and_not_after(monkeypatch):
    used = []
    for function, ours in list(cpu_training.REPLACEMENTS.items()):

        def noted(*args, ours=ours, **kwargs):
            used.append(ours)
            return ours(*args, **kwargs)

        monkeypatch.setitem(cpu_training.REPLACEMENTS, function, noted)
    module = torch.nn.Dropout(0.5)
    with CpuTraining():
        module(torch.ones(4))
        functional.scaled_dot_product_attention(*inputs(4))
    assert used == [dropout, attention]
    module(torch.ones(4))
    assert len(used) == 2
