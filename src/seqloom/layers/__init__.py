"""Tensors to tensors: attention, positions, feed-forward, recurrence, dropout, decoder state.

Layers take numbers and parts, never a recipe, and import nothing but torch.
"""
