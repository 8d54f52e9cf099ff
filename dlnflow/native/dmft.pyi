"""Loops over sampled paths, and the algebra of a panel's rows."""
