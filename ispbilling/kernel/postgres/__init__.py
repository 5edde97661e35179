"""The database backend: Django's own for PostgreSQL, which also tells each transaction its tenant."""
