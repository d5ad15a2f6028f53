"""bncourse: batch normalization by hand in NumPy, and again in PyTorch.

Its parts are `conventions` (the shared rules), `numpy_bn` and `torch_bn` (the twins), `gradcheck`, `diagnosis`,
`experiments`, `plots` and `grading`. Importing it loads none of them: `import bncourse` needs neither NumPy nor
PyTorch, and each part says in its first lines what it may import.
"""

__version__ = "0.1.0"
