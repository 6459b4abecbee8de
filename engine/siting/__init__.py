"""Where large loads may connect: envelopes, reliability gate, market impact, ranking, and the catalogue of sites."""
