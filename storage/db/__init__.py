"""The database: engine, schema, statements, the lock, rows and migrations."""
