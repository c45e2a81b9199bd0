# The sandbox's stand-in for Cognito; used only by compose.yaml.
FROM node:24-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY sandbox ./sandbox
COPY deploy/stand-ins.ts ./deploy/stand-ins.ts
USER 1000
CMD ["node", "deploy/stand-ins.ts", "cognito"]
