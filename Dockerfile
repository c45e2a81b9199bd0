# The service with production dependencies only. Node runs the TypeScript directly, so there is no build step.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The GraphiQL and OpenTelemetry packages ship several builds of the same code; the ones that are never loaded are removed.
RUN npm ci --omit=dev --no-audit --no-fund \
  && rm -r node_modules/@graphql-yoga/render-graphiql/cjs node_modules/@opentelemetry/*/build/es*

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
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src
COPY plugins ./plugins
COPY routes ./routes
# Compiled at build time as the runtime user, because Node keys the cache by user ID: start-up is a fifth faster, and nothing is written at run time.
ENV NODE_COMPILE_CACHE=/app/.compile-cache
RUN install -d -o 1000 "$NODE_COMPILE_CACHE" \
  && setpriv --reuid=1000 --clear-groups node -e "import('./src/app.ts')" \
  && chown -R root "$NODE_COMPILE_CACHE" && chmod -R a+rX "$NODE_COMPILE_CACHE"
# A number rather than a name, so that Kubernetes can verify that it is not root.
USER 1000
EXPOSE 3000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["node", "src/healthcheck.ts"]
# Options of the command go behind the image's name: docker run … --doctor.
ENTRYPOINT ["node", "src/server.ts"]
