"""Records become pages and lists. Decides nothing."""
