"""The reliability gate: which loads at which buses keep every limit after every outage, exactly, with proofs."""
