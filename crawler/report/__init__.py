"""Reports: one file a format, each `Summary -> pieces of text`. They see what is stored, no more."""
