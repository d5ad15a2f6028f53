"""A course and an assignment in; what one command does, in order, out."""
