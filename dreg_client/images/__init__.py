"""Images as values, and their views for text, JSON and HTML."""
