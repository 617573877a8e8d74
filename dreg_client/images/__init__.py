"""Images as values, and the views of them that are shown."""
