"""The four special tokens, with the same ids in every vocabulary."""

PAD, BOS, EOS, UNK = 0, 1, 2, 3

SPECIALS = ("<pad>", "<s>", "</s>", "<unk>")
"""Their names in ``tokenizer.json``, in the order of their ids."""
