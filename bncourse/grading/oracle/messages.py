"""The first byte of each order that the engine sends to the oracle."""

MASTER = b"M"
"""An order to learn a master."""
JOB = b"J"
"""An order to take a submission through its tests."""
TWIN = b"T"
"""An order to fork another oracle, which serves the sockets that come with it."""
