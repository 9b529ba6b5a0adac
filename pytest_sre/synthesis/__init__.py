"""From an alert's expression to the series that fire it.

In the order in which data go through: `shape` (what an expression asks for) → `world`, `structure`, `entities` (which
series there can be) → `nature`, `natures`, `levels`, `palette` (what each may do) → `search`, `descent`, `evaluate` (what
fires) → `healthy`, `mixture`, `hovering` (what does not) → `contrast` (all of it for one alert). `planner` and `batches` put
many alerts into one Prometheus. `never` tells what no data can fire; `real`, `course` and `exposed` bring in snapshots of
real metrics pages; `native` and `exponential` native histograms; `moments` hours and weekdays.
"""
