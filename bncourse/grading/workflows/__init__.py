"""What one command does, in order, and nothing else."""
