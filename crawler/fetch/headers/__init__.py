"""What reads a header: times to wait, quotas, validators and freshness. Pure."""
