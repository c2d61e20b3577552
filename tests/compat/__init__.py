"""What configurations, subclasses and tools of other years rely on: one small case for each."""
