"""One report format a file, each `Summary -> pieces of text`."""
