"""Coefficients of the forecast of seconds, as `python benchmarks/forecast.py fit FILE` prints them.

The first of DMFT is moved by the median of what the solver has become faster since that fit (docs/benchmarks.md).
"""

DMFT = (
    -0.13,
    0.438,
    -0.323,
    -0.15,
    -0.445,
    0.243,
    0.0227,
    -0.0106,
    -0.0674,
    -0.045,
    0.105,
    -0.156,
    0.0609,
    0.0293,
    0.189,
    0.0142,
    0.0224,
    0.196,
    -0.00193,
    -0.0483,
    0.066,
    -0.0386,
    0.0893,
    -0.0098,
    -0.243,
    -0.125,
    0.216,
    -0.122,
    -0.0415,
    0.119,
    0.081,
    -0.176,
    0.161,
    0.0327,
    0.0317,
    0.0119,
)
DESCENT = (-5.48, 1.39, -0.306, -0.163, -0.153, 0.426, 0.148)
SIMULATION = (0.00671, 1.57e-09, 0.00447, 9.86e-06, 1.19e-08, 3.4e-05, 5.55e-08, 1.92e-10)
