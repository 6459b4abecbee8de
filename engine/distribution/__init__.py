"""Distribution feeders with unbalanced phases: their model, power flow, operation and locational prices."""
