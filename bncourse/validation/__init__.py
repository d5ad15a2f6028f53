"""Refuse arguments that do not fit together, in one wording for both twins: shapes and types in, a clear error out."""
