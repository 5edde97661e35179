"""Every message that leaves: reacts to the floors below."""
