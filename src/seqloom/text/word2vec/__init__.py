"""Word vectors from text: CBOW and skip-gram (Mikolov et al. 2013a, b; Bojanowski et al. 2017)."""

from seqloom.text.word2vec.training import train_vectors

__all__ = ["train_vectors"]
