"""What the supervisor and the oracle begin their messages with."""

MASTER = b"M"
"""An order to learn a master."""
JOB = b"J"
"""An order to take a submission through its tests."""
ANSWERS = b"\0"
"""A report that is no JSON but the answers of a pass."""
