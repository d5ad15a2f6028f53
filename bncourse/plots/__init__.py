"""Results in, figures out. Imports no PyTorch."""
