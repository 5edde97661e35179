"""Subscribers' pages, by noun. They work without JavaScript; with it, a payment's page moves by itself."""
