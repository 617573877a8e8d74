"""Conversations: plans that ask and are answered, without any input or output of their own."""
