"""The street: here alone an HTTP library is known. One function sends."""
