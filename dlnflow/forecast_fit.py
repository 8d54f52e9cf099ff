"""Coefficients of the forecast of seconds, as `python benchmarks/forecast.py fit FILE` prints them."""

PACE_SECONDS = 0.326  # processor seconds of the solve in worker/pace.py when these seconds were measured

FLOW = (-2.33, 0.148, 0.142, 0.374, 0.285, 0.0, 0.0, 0.0233, 0.191, 0.0105, 0.0, 0.0, -0.187, -0.275, -0.331, 0.207, 2.72, 0.331)
FLOW_SPREAD = (0.556, 0.696, 0.264, 0.0, 0.259)
DESCENT_ERROR = (-5.49, -0.686, 0.455, 0.587, 0.5, 0.126, 0.0944, 0.0, 0.0788, 0.0, 1.24)
DESCENT_STEP = (-11.1, -0.0278, 0.214, 0.141, 0.213, -0.00275, 0.0785, 0.0, 0.0, 0.0867, 0.928, -0.364)
DESCENT_SPREAD = 2.27
SIMULATION = (0.0014, 9.65e-09, 1.6e-08, 2.52e-11, 0.000422, 9.91e-09, 3.2e-05, 2.41e-10)
SIMULATION_SPREAD = 1.75
