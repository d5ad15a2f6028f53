"""The master's tests, run on proxies of the student's objects. What leaves holds no hidden value."""
