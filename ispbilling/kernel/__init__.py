"""The ground floor: what every app stands on and what knows no app.

Nothing here carries a word of billing, networks or messages.
"""
