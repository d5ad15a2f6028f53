"""A course folder and its masters: a master's text becomes a `Master` and notebooks. Knows no student."""
