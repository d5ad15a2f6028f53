"""A master's tests and a connection to a worker in; verdicts out, which hold no hidden value."""
