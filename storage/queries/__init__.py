"""The read side, by reader: `run`, `report` and `dashboard`."""
