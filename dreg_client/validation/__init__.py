"""Validation of stored documents: reports, dumps, and whole stores."""
