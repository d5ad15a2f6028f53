"""A student's notebook in; what its visible tests say out. Needs NumPy alone."""
