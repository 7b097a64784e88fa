"""What a person asks of a trained model, end to end: from its folder and texts to records."""
