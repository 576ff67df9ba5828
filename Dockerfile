# One replica in a container: production packages only, not root, nothing written but below /data.
#
#   docker build -t quartet .
#   docker run --read-only -v quartet-data:/data -p 127.0.0.1:5000:5000 -e QUARTET_NAME=n1 quartet
#
# The volume belongs to the name; without one a replica takes the container's, and the next container is refused.
# Configured by the environment, as docs/api.md says. Plain instructions only, so that a builder without BuildKit does.

ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /quartet
COPY package.json package-lock.json .npmrc ./
# No package has anything to do after it is unpacked: those with native code bring it compiled.
RUN npm ci --ignore-scripts --no-fund --no-audit
COPY nest-cli.json tsconfig.json tsconfig.build.json .swcrc ./
COPY src src
COPY engine/prebuilds engine/prebuilds
RUN npm run --silent build && npm prune --omit=dev --ignore-scripts --no-fund --no-audit
# What no replica reads: native code for other systems and its sources, the compiler (which @nestjs/swagger has use for
# when it builds only), types, maps of packages, npm's notes.
RUN find engine/prebuilds -mindepth 1 -maxdepth 1 ! -name "linux-$(node -p process.arch)" -exec rm -r {} + \
    && test -d engine/prebuilds/linux-* \
    && rm -rf node_modules/classic-level/prebuilds node_modules/classic-level/deps node_modules/typescript node_modules/.package-lock.json node_modules/.bin \
    && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
    && mkdir data

FROM ${BASE}
LABEL org.opencontainers.image.title="Quartet" \
      org.opencontainers.image.description="A replica of an eventually consistent key-value store" \
      org.opencontainers.image.version="0.1.0"
ENV NODE_ENV=production QUARTET_HOST=0.0.0.0 QUARTET_PORT=5000 QUARTET_DATA=/data
WORKDIR /quartet
# The code belongs to root, so that a replica can't change it; a new volume at /data takes over the folder's owner.
COPY --from=build /quartet/package.json ./
COPY --from=build /quartet/node_modules node_modules
COPY --from=build /quartet/dist dist
COPY --from=build /quartet/engine engine
COPY --from=build --chown=1000:1000 /quartet/data /data
# By number, so that an orchestrator can see that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 5000
STOPSIGNAL SIGTERM
# Alive, not ready: what replaces a sick container must leave alone one that is still catching up.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "require('node:http').get({ port: process.env.QUARTET_PORT, path: '/livez' }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
# As npm start, without npm or a shell in between: the signal reaches the replica itself.
CMD ["node", "--enable-source-maps", "--max-semi-space-size=32", "--no-allocation-site-pretenuring", "--heap-growing-percent=200", "--no-memory-reducer", "dist/main.js"]
