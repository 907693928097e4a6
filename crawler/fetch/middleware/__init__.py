"""What wraps a fetch: each middleware is a fetch around a fetch and knows one behaviour."""
