"""Which positions count as changed most: the rule of ties, which the recorded replies depend on."""

from __future__ import annotations

import torch

from lladav_models.llada import most_changed


def values(*angles: float) -> torch.Tensor:
    """One head, a unit vector of each angle."""
    return torch.stack([torch.tensor(angles).cos(), torch.tensor(angles).sin()], -1).unsqueeze(0)


def test_the_least_similar_come_out_in_order_of_position() -> None:
    kept, fresh = values(0, 0, 0, 0), values(0.1, 0.5, 0.0, 0.3)
    assert most_changed(kept, fresh, 2).tolist() == [1, 3]
    assert most_changed(kept, fresh, 4).tolist() == [0, 1, 2, 3]
    assert most_changed(kept, fresh, 0).tolist() == []


def test_what_differs_by_rounding_alone_ties_and_the_lower_position_wins() -> None:
    # Similarities 1 - 2e-6, 1 - 4.5e-6 and 1 round to one number, 1 - 1.25e-5 does not.
    kept, fresh = values(0, 0, 0, 0), values(0.002, 0.003, 0.0, 0.005)
    assert most_changed(kept, fresh, 1).tolist() == [3]
    assert most_changed(kept, fresh, 2).tolist() == [0, 3]


def test_similarity_is_of_all_heads_together() -> None:
    kept = torch.cat((values(0, 0), values(0, 0)))
    fresh = torch.cat((values(0.3, 0.0), values(0.0, 0.4)))
    assert most_changed(kept, fresh, 1).tolist() == [1]


def test_a_vector_of_zeros_counts_as_changed() -> None:
    kept, fresh = values(0, 0), values(0, 0)
    fresh[0, 1] = 0
    assert most_changed(kept, fresh, 1).tolist() == [1]
