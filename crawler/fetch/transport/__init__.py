"""What connects: the HTTP client, its connector, resolvers, TLS and the limits of a response."""
