"""The network, in layers: each is a fetch that wraps a fetch and knows one behaviour."""
