"""What each kind of target is asked, and how its answer is judged. No network in here."""
