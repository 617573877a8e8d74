"""Validation of stored documents: reports, dumps, and the walk over a store."""
