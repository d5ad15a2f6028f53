"""Submissions in, records out: in parallel, with our own failures repeated, on this machine or on a cluster."""
