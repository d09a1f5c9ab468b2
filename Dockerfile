# docker build -t ccpark . && docker run --rm -it -v "$PWD/runs:/ccpark/runs" ccpark bench --scenario park-paper
FROM node:22-bookworm-slim AS build
WORKDIR /ccpark
COPY . .
RUN npm ci --no-audit --no-fund && npm prune --omit=dev --no-audit --no-fund

FROM node:22-bookworm-slim
WORKDIR /ccpark
COPY --from=build /ccpark /ccpark
ENTRYPOINT ["node", "/ccpark/dist/cli/main.js"]
CMD ["--help"]
