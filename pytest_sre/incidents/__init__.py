"""The Python fixture `sre`: incidents made on the real servers, and what a test asks of them."""
