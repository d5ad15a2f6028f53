"""A course folder in; its masters, notebooks to release, and sample classes out. Knows no student."""
