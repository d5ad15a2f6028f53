"""What nbgrader calls, and what it is told: its hooks and its settings."""
