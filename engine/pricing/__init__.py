"""Energy hubs that a network operator steers by prices: their models, from no pricing to the exact bilevel."""
