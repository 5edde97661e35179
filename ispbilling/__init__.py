"""Settings, entry points and the kernel. Names every app as text and imports none of them."""
