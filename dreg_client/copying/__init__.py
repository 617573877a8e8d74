"""Decisions about copies, without I/O: what to transfer next, new indexes of fewer platforms, and the result."""
