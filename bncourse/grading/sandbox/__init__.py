"""Start, limit and kill the processes that run a student's code. Knows no assignment."""
