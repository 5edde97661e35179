"""Who is entitled to what, and the book."""
