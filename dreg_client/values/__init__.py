"""Immutable values parsed from strings: digests, references, platforms. They use only the standard library."""
