"""What servers do, and what we say of it."""
