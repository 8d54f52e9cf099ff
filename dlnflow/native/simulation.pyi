"""Products with a design, and steps of a finite network."""
