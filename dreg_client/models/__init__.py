"""Strict, frozen models of documents, parsed from JSON bytes."""
