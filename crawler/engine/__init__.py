"""One run in one event loop: the order of targets, one visit, and what is done when the network fails."""
