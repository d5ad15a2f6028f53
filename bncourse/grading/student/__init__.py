"""What a student runs before handing in. Needs NumPy alone."""
