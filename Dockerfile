# Rolecall in a container: `rolecall serve` by default, any other command as arguments. docs/install.md
#
# The image has PostgreSQL for `rolecall up`, as the package does. `--target with-mariadb` adds MariaDB.
ARG PYTHON=3.13-slim-trixie

FROM python:${PYTHON} AS build
WORKDIR /source
COPY requirements-tracing.lock requirements-build.lock ./
RUN python -m venv --without-pip /opt/rolecall \
    && pip --python /opt/rolecall/bin/python install --no-cache-dir --no-deps --require-hashes -r requirements-tracing.lock \
    && pip install --no-cache-dir --no-deps --require-hashes -r requirements-build.lock
COPY LICENSE README.md pyproject.toml ./
COPY scripts/package_metadata.py scripts/
COPY src src
RUN python -m hatchling build --target wheel --directory /dist \
    && pip --python /opt/rolecall/bin/python install --no-cache-dir --no-deps /dist/*.whl \
    && pip --python /opt/rolecall/bin/python check

FROM python:${PYTHON} AS runtime
LABEL org.opencontainers.image.title="Rolecall" \
    org.opencontainers.image.description="One self-hosted account control plane that speaks the cloud vendors' account APIs" \
    org.opencontainers.image.licenses="Apache-2.0"
# PostgreSQL's initdb asks for the name of the account that it runs as.
RUN useradd --no-log-init --uid 10001 --user-group --create-home --home-dir /var/lib/rolecall rolecall \
    && install --directory --owner=rolecall --group=rolecall --mode=0700 /var/lib/rolecall/data
COPY --from=build /opt/rolecall /opt/rolecall
ENV PATH=/opt/rolecall/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ROLECALL_ADMIN_LISTEN=0.0.0.0:7654 \
    ROLECALL_DATA=/var/lib/rolecall/data \
    ROLECALL_LISTEN=0.0.0.0:7653
USER 10001:10001
WORKDIR /var/lib/rolecall
VOLUME /var/lib/rolecall/data
EXPOSE 7653 7654
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7654/healthz', timeout=4)"]
ENTRYPOINT ["rolecall"]
CMD ["serve"]

FROM runtime AS with-mariadb
USER 0
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends mariadb-server \
    && rm -rf /var/lib/apt/lists/* /var/lib/mysql
USER 10001:10001

FROM runtime
