"""Report files: write them, and read their sums."""
