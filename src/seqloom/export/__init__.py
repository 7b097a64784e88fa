"""Models in the formats of other libraries, and theirs in ours."""
