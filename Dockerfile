# The service as one bundle with its code compiled, and the packages that it loads on demand.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Removes what is never loaded: builds of GraphiQL and OpenTelemetry for other module systems, and two large packages
# whose code is in the bundle.
RUN npm ci --omit=dev --no-audit --no-fund \
  && rm -r node_modules/@graphql-yoga/render-graphiql/cjs node_modules/@opentelemetry/*/build/es* node_modules/graphql node_modules/@sinclair

# One file for most of what a start loads, without types, so nothing loads Node's type stripper. JavaScript is the same on every platform.
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
# Compiled as the runtime user, because Node keeps a cache for each user ID; then owned by root, so that nothing is written at run time.
RUN install -d -o 1000 node_modules/.cache \
  && setpriv --reuid=1000 --clear-groups node /tmp/warm-up.ts node src/start.js \
  && chown -R root node_modules/.cache && chmod -R a+rX node_modules/.cache

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="cognito-hasura-gateway" \
  org.opencontainers.image.description="Forwards GraphQL from plain JSON requests to Hasura, with an AWS Cognito machine token renewed in the background" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim"
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.version="$VERSION" org.opencontainers.image.revision="$REVISION"
WORKDIR /app
# On any address other than loopback the service starts only with CALLER_AUTH or ALLOW_UNAUTHENTICATED=true: the operator decides who may call.
ENV HOST=0.0.0.0 PORT=3000
COPY --from=service /app ./
# A number, not a name, so that Kubernetes can verify that it is not root.
USER 1000
EXPOSE 3000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["node", "src/healthcheck.js"]
# V8's options are those of `npm start`; docs/performance.md has the figures.
# Command-line options go after the image's name: docker run … --doctor.
ENTRYPOINT ["node", "--max-semi-space-size=8", "--no-allocation-site-pretenuring", "src/start.js"]
