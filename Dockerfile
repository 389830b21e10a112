# Faena in one image, for every process: compose gives the command. Needs nothing at build time but
# a package index; runs without root, on a root file system that is read-only.

FROM python:3.13-slim-bookworm AS packages
WORKDIR /build
# base, or otel to have traces sent.
ARG LOCK=base
COPY requirements/base.lock requirements/otel.lock requirements/
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        --only-binary :all: -r "requirements/$LOCK.lock"

FROM python:3.13-slim-bookworm
# What is written is here: uploads without a bucket, and when the clock rang last.
ENV VAR_DIR=/var/lib/faena \
    STATIC_ROOT=/app/static \
    UVICORN_HOST=0.0.0.0 \
    PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1
RUN groupadd --system --gid 10001 faena \
    && useradd --system --uid 10001 --gid faena --no-create-home --home-dir /nonexistent faena \
    && install --directory --owner=faena --group=faena "$VAR_DIR" /var/lib/sandbox-wallet
WORKDIR /app
COPY --from=packages /venv /venv
COPY manage.py celery_app.py ./
COPY backend backend
COPY sandbox_wallet sandbox_wallet
# Nobody may write here later, so Python's own cache is made now.
RUN python -m compileall -q . \
    && DEBUG=1 VAR_DIR=/tmp/build python manage.py collectstatic --noinput \
    && rm -r /tmp/build
USER 10001:10001
VOLUME ["/var/lib/faena"]
EXPOSE 8000
# For the server; the other processes have no port, and end when they cannot go on.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\") or 8000}/healthz', timeout=4)"]
CMD ["uvicorn", "backend.asgi:application", "--port", "8000", "--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "5", "--ws-per-message-deflate", "false"]
