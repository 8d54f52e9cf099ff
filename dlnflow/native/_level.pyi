def level() -> int:
    """4 with AVX-512, 3 with AVX2, else 1."""
