"""Marking by question: the written answers of a class, on this machine alone, names hidden."""
