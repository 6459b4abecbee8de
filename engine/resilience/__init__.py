"""Where to place flexible capacity modules against demand shocks of data centres: two stages, CVaR, distributions."""
