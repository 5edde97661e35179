"""Starts and stops everything a running installation is made of. Standard library and psycopg only.

Not our business: Django. The servers come from wheels, but their binaries are started directly.
"""
