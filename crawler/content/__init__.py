"""The second look at pages that answer 200: "not found" pages, parked domains and interstitials."""
