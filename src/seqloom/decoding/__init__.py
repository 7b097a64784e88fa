"""From the model contract to hypotheses: greedy, beam, sampling, forced scores, streams, text."""
