"""Coefficients of the forecast of seconds, as `python benchmarks/forecast.py fit FILE` prints them."""

PACE_SECONDS = 0.376  # processor seconds of the solve in worker/pace.py when these seconds were measured

FLOW = (-2.02, 0.128, 0.134, 0.113, 0.19, 0.0329, 0.151, 0.374, 0.15, 0.025, 0.0, 0.576, -0.768, -0.184, -0.576, 0.98, 0.389, 0.579)
FLOW_SPREAD = (0.464, 0.0748, 0.548, 0.231)
DESCENT_ERROR = (-4.46, 0.12, 0.0, -0.0486, -1.51, -1.51, 0.833, 0.0, 0.0, 0.0, 0.884)
DESCENT_STEP = (-11.4, -0.0976, 0.113, 0.0522, 0.113, -0.0809, -0.0692, 0.0294, 0.317, 3.17, 0.106, -0.599)
DESCENT_SPREAD = 1.8
SIMULATION = (0.0014, 9.65e-09, 1.6e-08, 2.52e-11, 0.000422, 9.91e-09, 3.2e-05, 2.41e-10)
SIMULATION_SPREAD = 1.5
