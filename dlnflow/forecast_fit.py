"""Coefficients of the forecast of seconds, as `python benchmarks/forecast.py fit FILE` prints them."""

PACE_SECONDS = 0.385  # processor seconds of the solve in worker/pace.py when these seconds were measured

FLOW = (-3.5, 0.2, 0.1, 0.4, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.0, 0.1, 0.0, 0.8, 1.0, -0.5)
FLOW_SPREAD = (0.5, 0.5, 0.3, 0.1)
DESCENT_ERROR = (-4.51, 0.124, 1.19, 1.14, -0.482, -0.02, 0.401, -0.829, -0.289, -0.141, 0.3)
DESCENT_STEP = (-11.4, 0.12, 0.252, 0.351, -0.0245, 0.125, 0.0538, -0.145, -0.0408, 0.0094, 1.4, -0.135)
DESCENT_SPREAD = 1.8
SIMULATION = (0.0014, 9.65e-09, 1.6e-08, 2.52e-11, 0.000422, 9.91e-09, 3.2e-05, 2.41e-10)
SIMULATION_SPREAD = 1.5
