"""`python -m dlnflow` is the command line."""

import sys

from dlnflow.cli import main

sys.exit(main())
