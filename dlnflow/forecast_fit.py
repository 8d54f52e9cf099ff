"""Coefficients of the forecast of seconds, as `python benchmarks/forecast.py fit FILE` prints them."""

PACE_SECONDS = 0.374  # processor seconds of the solve in worker/pace.py when these seconds were measured

FLOW = (-2.13, 0.102, 0.221, 0.203, 0.185, 0.0145, 0.161, 0.238, 0.115, 0.0792, 0.0, 0.324, -0.793, -0.135, -0.567, 0.404, 0.546, 0.549)
FLOW_SPREAD = (0.323, 0.348, 0.443, 0.373, 0.487)
DESCENT_ERROR = (-4.56, -0.421, 0.905, 0.791, 0.276, -0.922, 0.676, 0.0, 0.0, 0.0, 0.116)
DESCENT_STEP = (-11.4, 0.0443, 0.104, 0.00633, 0.0937, -0.168, 0.107, 0.0, 0.359, 0.332, 0.731, -0.26)
DESCENT_SPREAD = 2.58
SIMULATION = (0.0014, 9.65e-09, 1.6e-08, 2.52e-11, 0.000422, 9.91e-09, 3.2e-05, 2.41e-10)
SIMULATION_SPREAD = 1.5
