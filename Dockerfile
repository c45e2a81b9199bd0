# The service with its production dependencies alone. TypeScript runs as it is written, so there is no build step.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
WORKDIR /app
# Beyond loopback the service starts only with ALLOW_UNAUTHENTICATED=true: who may reach it is a decision to be made.
ENV HOST=0.0.0.0 PORT=3000
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src
COPY plugins ./plugins
COPY routes ./routes
USER node
EXPOSE 3000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["node", "src/healthcheck.ts"]
CMD ["node", "src/server.ts"]
