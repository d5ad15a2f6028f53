"""Orders in; processes that run a student's code out, limited and killed in time. Knows no assignment."""
