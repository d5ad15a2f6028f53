"""The only writer to the database of nbgrader, and what is kept there beside nbgrader's own tables."""
