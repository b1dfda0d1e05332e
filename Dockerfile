# How it is built, pinned, checked and run: docs/image.md.
#
# The base by tag, for a first try. A release names its digest as well:
#   --build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:…
# checkov:skip=CKV_DOCKER_7: it does not follow the argument; the default has a tag
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONDONTWRITEBYTECODE=1
# Given, it dates what is packed, so that two builds of one commit agree byte by byte.
ARG SOURCE_DATE_EPOCH
WORKDIR /src

# What changes seldom comes first. An index of your own comes as a secret, never in a layer.
COPY requirements-build.lock requirements-runtime.lock ./
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    python -m venv --without-pip /opt/cronops \
    && python -m venv --without-pip /opt/build \
    && python -m pip --python /opt/cronops/bin/python install --require-hashes \
        --only-binary=:all: --no-compile -r requirements-runtime.lock \
    && python -m pip --python /opt/build/bin/python install --require-hashes \
        --only-binary=:all: --no-compile -r requirements-build.lock

COPY pyproject.toml README.md LICENSE ./
COPY cronops cronops
# Bytecode is trusted without a look at its source's time: copies and SOURCE_DATE_EPOCH change
# those, and on a read-only root every start would then compile everything anew.
RUN /opt/build/bin/python -m hatchling build -t wheel -d /opt/wheel \
    && python -m pip --python /opt/cronops/bin/python install --no-index --no-deps --no-compile \
        /opt/wheel/*.whl \
    && /opt/cronops/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        /opt/cronops/lib \
    && /opt/cronops/bin/python -c "import zoneinfo; zoneinfo.ZoneInfo('Europe/Brussels')"

FROM ${PYTHON_IMAGE}
# /tmp is the one place that is written to; the pod mounts an emptyDir there.
ENV PATH=/opt/cronops/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1

# The base comes without the standard library's bytecode: on a read-only root that costs each start
# 0.2 s. And nothing will be installed any more.
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore pip setuptools wheel \
    && rm -rf /usr/local/lib/python3*/ensurepip \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /usr/local/lib/python3*/

COPY --from=build /opt/cronops /opt/cronops

ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cronops" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# A number, so that runAsNonRoot can be checked; no such account exists, and none is needed.
USER 10001:10001
# No HEALTHCHECK: the container is one run and ends with it; its supervisor watches it from inside.
# checkov:skip=CKV_DOCKER_2: a run is not a service
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/cronops/bin/cronops"]
