"""Records in, rows of nbgrader's database out; nothing else writes to it."""
