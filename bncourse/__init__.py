"""bncourse: batch normalization by hand in NumPy, and again in PyTorch.

This house has the rooms `conventions` (the shared rules), `numpy_bn` and `torch_bn` (the twins), `gradcheck`,
`diagnosis`, `experiments`, `plots` and `grading`. Importing it loads none of them: `import bncourse` costs
neither NumPy nor PyTorch, and each room says in its first line what it may import.
"""

__version__ = "0.1.0"
