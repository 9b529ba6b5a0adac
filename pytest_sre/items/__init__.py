"""What is collected: one module for each kind of item; an item's runtest() is the flow in a few lines."""
