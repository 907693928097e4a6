"""How an answer becomes a verdict, and how verdicts become a state. Pure tables."""
