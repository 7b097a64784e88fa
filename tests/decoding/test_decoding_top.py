from __future__ import annotations

import pytest
import torch

from seqloom.decoding.top import top


@pytest.mark.parametrize("size", [3, 20, 64, 127, 128, 200, 1000])
@pytest.mark.parametrize(
    ("sentences", "beam", "count"), [(1, 1, 1), (3, 1, 8), (2, 4, 8), (4, 5, 10)]
)
def test_the_best_of_all_rows_and_tokens(size, sentences, beam, count):
    torch.manual_seed(size)
    values = torch.randn(sentences * beam, size).log_softmax(-1)
    values[:, 1] = -torch.inf
    totals = torch.randn(sentences, beam)
    sums, rows, ids = top(values, totals, count)
    assert sums.shape == rows.shape == ids.shape == (sentences, count)
    for s in range(sentences):
        everything = (values.view(sentences, beam, size)[s] + totals[s][:, None]).flatten()
        expected = everything.sort(descending=True).values[:count]
        expected = torch.nn.functional.pad(expected, (0, count - len(expected)), value=-torch.inf)
        assert torch.equal(sums[s], expected)
        assert ((rows[s] >= s * beam) & (rows[s] < (s + 1) * beam)).all()
        found = values[rows[s], ids[s]] + totals.flatten()[rows[s]]
        real = sums[s].isfinite()
        assert torch.equal(found[real], sums[s][real])
        pairs = set(zip(rows[s][real].tolist(), ids[s][real].tolist(), strict=True))
        assert len(pairs) == int(real.sum())


def test_dead_rows_never_come_before_living_ones():
    values = torch.zeros(2, 130)
    totals = torch.tensor([[-torch.inf, -5.0]])
    sums, rows, _ = top(values, totals, 130)
    assert sums.isfinite().all()
    assert rows.eq(1).all()
