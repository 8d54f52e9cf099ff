#!/bin/sh
# Starts one of the image's programs: api, worker, or the command that is given.
set -eu
case ${1:-api} in
    api) DLNFLOW_HOST=0.0.0.0 exec python -m uvicorn --factory service.app:from_environment --host 0.0.0.0 --port 8000 \
        --log-level warning --no-server-header --timeout-graceful-shutdown 3 ;;
    worker) exec python -m worker ;;
    *) exec "$@" ;;
esac
