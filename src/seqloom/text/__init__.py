"""Strings to ids: tokenizers, how they cut, and the preparation of a corpus for training."""
