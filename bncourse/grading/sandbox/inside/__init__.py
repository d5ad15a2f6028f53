"""What is shipped into the sandbox: imports the standard library, NumPy, and what an assignment allows.

Nothing here may import another package of bncourse, which does not exist where this code runs.
"""
