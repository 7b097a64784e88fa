"""What a model does, as records (versioned JSON) and as pictures that draw nothing but records."""
