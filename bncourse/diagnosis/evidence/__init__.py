"""What proves the diagnosis: wrong programs and right ones, the table of checks by programs, the search for probes.

A student's install can do without it; nothing that tells a belief imports it.
"""
