"""Coefficients of the forecast of seconds, as `python benchmarks/forecast.py fit FILE` prints them."""

PACE_SECONDS = 0.326  # processor seconds of the solve in worker/pace.py when these seconds were measured

FLOW = (-2.33, 0.148, 0.142, 0.374, 0.285, 0.0, 0.0, 0.0233, 0.191, 0.0105, 0.0, 0.0, -0.187, -0.275, -0.331, 0.207, 2.72, 0.331)
FLOW_SPREAD = (0.556, 0.696, 0.264, 0.0, 0.259)
DESCENT_ERROR = (-4.81, -0.415, 0.685, 0.764, 0.674, -0.531, 0.267, 0.0, 0.00467, 0.0, 0.697)
DESCENT_STEP = (-11.4, -0.0891, 0.136, 0.0811, 0.131, -0.0799, 0.115, 0.0362, 0.261, 0.0, 0.799, -0.311)
DESCENT_SPREAD = 1.96
SIMULATION = (0.0014, 9.65e-09, 1.6e-08, 2.52e-11, 0.000422, 9.91e-09, 3.2e-05, 2.41e-10)
SIMULATION_SPREAD = 1.75
