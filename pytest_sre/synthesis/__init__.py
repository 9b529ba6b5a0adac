"""From an alert's expression to the series that fire it."""
