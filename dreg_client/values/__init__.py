"""Words: text in, immutable value out; standard library only."""
