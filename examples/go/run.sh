#!/bin/sh
# Makes the stubs, starts a server, runs the client against it and stops the server.
set -eu
cd "$(dirname "$0")/../.."
npx buf generate --template examples/go/buf.gen.yaml
ready=$(mktemp -u)
mkfifo "$ready"
node dist/cli/main.js serve --port 0 --json --quiet >"$ready" &
server=$!
trap 'kill "$server"; rm -f "$ready"' EXIT
read -r line <"$ready"
address=$(printf '%s' "$line" | sed 's/.*"address":"\([^"]*\)".*/\1/')
go -C examples/go run . "$address"
