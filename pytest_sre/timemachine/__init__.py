"""Virtual time: rules over series of the past, with the real PromQL engine."""
