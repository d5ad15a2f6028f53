"""Submissions in, records out: in parallel, with the grader's own failures repeated, here or on a cluster."""
