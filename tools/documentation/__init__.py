"""Markdown of the documentation pages that are generated from models, rules and commands."""
