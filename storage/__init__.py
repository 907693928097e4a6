"""What is at rest: records and images on disk, findings in a database, and the values that name them."""
