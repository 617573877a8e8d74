"""Models of documents: JSON bytes in, strict frozen model out."""
