# The service as one bundle, with the packages that it loads on demand, and with its code compiled.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# What is never loaded is removed: builds of the same code that GraphiQL and OpenTelemetry ship for others, and the two large packages of which the
# bundle holds all that runs.
RUN npm ci --omit=dev --no-audit --no-fund \
  && rm -r node_modules/@graphql-yoga/render-graphiql/cjs node_modules/@opentelemetry/*/build/es* node_modules/graphql node_modules/@sinclair

# One file for most of what a start loads, and no types: nothing loads Node's type stripper. JavaScript is the same for every platform.
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS bundle
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY deploy/bundle.ts ./deploy/
COPY src ./src
COPY plugins ./plugins
COPY routes ./routes
RUN node deploy/bundle.ts dist

FROM node:24-bookworm-slim AS service
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=bundle /app/dist ./src
COPY package.json LICENSE ./
COPY deploy/warm-up.ts /tmp/
# Compiled by the runtime user, since Node keeps a cache for each user ID, and then root's, so that nothing is written at run time.
RUN install -d -o 1000 node_modules/.cache \
  && setpriv --reuid=1000 --clear-groups node /tmp/warm-up.ts node src/start.js \
  && chown -R root node_modules/.cache && chmod -R a+rX node_modules/.cache

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="cognito-hasura-gateway" \
  org.opencontainers.image.description="Plain REST JSON in, GraphQL to Hasura out, with an AWS Cognito machine token renewed in the background" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim"
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.version="$VERSION" org.opencontainers.image.revision="$REVISION"
WORKDIR /app
# On any address other than loopback the service starts only with CALLER_AUTH or ALLOW_UNAUTHENTICATED=true: the operator decides who may call.
ENV HOST=0.0.0.0 PORT=3000
COPY --from=service /app ./
# A number rather than a name, so that Kubernetes can verify that it is not root.
USER 1000
EXPOSE 3000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["node", "src/healthcheck.js"]
# The options of V8 are those of `npm start`; docs/performance.md has the figures.
# Options of the command go behind the image's name: docker run … --doctor.
ENTRYPOINT ["node", "--max-semi-space-size=8", "--no-allocation-site-pretenuring", "src/start.js"]
