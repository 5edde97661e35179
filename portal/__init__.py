"""What subscribers see and do themselves."""
