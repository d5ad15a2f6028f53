"""This room draws: Result -> Figure. It may import `experiments` and all below, never PyTorch."""
