"""A student's bytes become what can be graded. Never raises for what a student did, and runs nothing."""
