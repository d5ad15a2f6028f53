"""This room asks one question per file: Config -> run -> Result.

It may import `diagnosis` and everything below it. It neither plots nor prints.
"""
