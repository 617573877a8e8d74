"""Documents: JSON bytes in, strict frozen model out."""
