# One image for both programs: the API (default) and the worker.
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY constraints.txt pyproject.toml README.md ./
COPY dlnflow dlnflow
COPY service service
COPY worker worker
RUN python -m venv /venv && /venv/bin/pip install -q -c constraints.txt '.[service]'
# Compile the kernels now, so that no first job waits for it.
ENV NUMBA_CACHE_DIR=/app/numba
RUN /venv/bin/python -c "from dlnflow.dmft import solve; from dlnflow.problem import GaussianTarget, Problem; \
    solve(Problem(aspect_ratio=1, target=GaussianTarget(), initial_scale=1), 0.1, accuracy=0.1)"

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home dlnflow
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build --chown=dlnflow /app/numba /app/numba
COPY service service
COPY worker worker
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 NUMBA_CACHE_DIR=/app/numba
USER dlnflow
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "--factory", "service.app:from_environment", "--host", "0.0.0.0", "--port", "8000"]
