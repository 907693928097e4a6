"""One image format a file: the size, and the features, that its leading bytes tell. Pure."""
