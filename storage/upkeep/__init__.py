"""Looking after the database: judge again, thin out, take out."""
