"""Coefficients of the forecast of seconds, as `python benchmarks/forecast.py fit FILE` prints them."""

PACE_SECONDS = 0.326  # processor seconds of the solve in worker/pace.py when these seconds were measured

FLOW = (-2.33, 0.148, 0.142, 0.374, 0.285, 0.0, 0.0, 0.0233, 0.191, 0.0105, 0.0, 0.0, -0.187, -0.275, -0.331, 0.207, 2.72, 0.331)
FLOW_SPREAD = (0.556, 0.696, 0.264, 0.0, 0.259)
DESCENT_ERROR = (-5.06, -0.535, 0.591, 0.634, 0.119, 0.22, 0.111, 0.0, 0.0, 0.0, 0.308)
DESCENT_STEP = (-10.8, -0.0814, 0.102, 0.034, -0.28, -0.00695, 0.0755, 0.0, 0.113, 0.0, 0.609, -0.33)
DESCENT_SPREAD = 2.04
SIMULATION = (0.0014, 9.65e-09, 1.6e-08, 2.52e-11, 0.000422, 9.91e-09, 3.2e-05, 2.41e-10)
SIMULATION_SPREAD = 1.75
