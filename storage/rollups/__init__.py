"""What is computed from findings when a run ends: link issues; totals of targets, hosts and images."""
