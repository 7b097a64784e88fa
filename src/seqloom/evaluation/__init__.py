"""Hypotheses to figures: BLEU and its kin, significance, sentences side by side."""
