"""A trained model to a smaller one that does the same."""
