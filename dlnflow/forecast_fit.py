"""Coefficients of the forecast of seconds, as `python benchmarks/forecast.py fit FILE` prints them."""

PACE_SECONDS = 0.305  # processor seconds of the solve in worker/pace.py when these seconds were measured

FLOW = (-2.24, 0.11, 0.228, 0.14, 0.206, 0.0103, 0.117, 0.195, 0.148, 0.0696, 0.0, 0.236, -0.564, -0.172, -0.594, 0.403, 0.709, 0.58)
FLOW_SPREAD = (0.333, 0.499, 0.673, 0.142, 0.541)
DESCENT_ERROR = (-4.81, -0.415, 0.685, 0.764, 0.674, -0.531, 0.267, 0.0, 0.00467, 0.0, 0.697)
DESCENT_STEP = (-11.4, -0.0891, 0.136, 0.0811, 0.131, -0.0799, 0.115, 0.0362, 0.261, 0.0, 0.799, -0.311)
DESCENT_SPREAD = 1.96
SIMULATION = (0.0014, 9.65e-09, 1.6e-08, 2.52e-11, 0.000422, 9.91e-09, 3.2e-05, 2.41e-10)
SIMULATION_SPREAD = 1.75
