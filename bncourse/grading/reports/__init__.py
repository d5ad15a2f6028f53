"""Records in; notebooks, pages and lists out. Decides nothing."""
