#!/bin/sh
# Starts one of the image's programs: api, worker, or the command that is given.
set -eu
# Numba wants to write beside what it reads, so the kernels compiled at the build go to a place that may be written. On another kind of
# processor they do not fit, and the worker compiles its own before it says that it is ready.
mkdir -p "$NUMBA_CACHE_DIR"
cp -R /app/numba/. "$NUMBA_CACHE_DIR"
case ${1:-api} in
    api) DLNFLOW_HOST=0.0.0.0 exec python -m uvicorn --factory service.app:from_environment --host 0.0.0.0 --port 8000 \
        --log-level warning --no-server-header --timeout-graceful-shutdown 3 ;;
    worker) exec python -m worker ;;
    *) exec "$@" ;;
esac
