"""A student's bytes in, a `Submission` out. Never raises for what a student did, and runs nothing."""
