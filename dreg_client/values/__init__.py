"""Immutable values that are parsed from text: digests, references, platforms. They need only the standard library."""
