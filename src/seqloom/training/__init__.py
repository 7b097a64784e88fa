"""Model and pairs to checkpoints: batches, tasks, loop, optimizer, schedule, checkpoints."""
