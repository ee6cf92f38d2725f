# Verdigris itself: the guard beside each pooler, drills, metrics, and the command line in a pod. For `kubernetes.images.verdigris`.
#   docker build -t registry.example/verdigris:0.1.0 .
# Runs as any user, on a root file system that nobody can write to; /tmp must be writable. Migrations and the tools of other
# makers' engines are yours to add: FROM this image, or as a volume.
# A tag can be moved, a digest cannot: what is built for others names its base by digest,
#   docker build --build-arg NODE=node:24.9.0-bookworm-slim@sha256:… (docker buildx imagetools inspect node:24.9.0-bookworm-slim).
ARG NODE=node:24.9.0-bookworm-slim
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
