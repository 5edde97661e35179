"""The staff's face: pages that show several apps at once."""
