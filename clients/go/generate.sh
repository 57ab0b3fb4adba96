#!/usr/bin/env bash
# Makes gen/, the published contract in Go. Needs Go and buf (npx @bufbuild/buf, or BUF=path).
set -euo pipefail
cd "$(dirname "$0")"
export GOBIN="$PWD/bin" PATH="$PWD/bin:$PATH"
go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.10
go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.0
${BUF:-npx --yes @bufbuild/buf@1.75.0} generate ../../proto --template buf.gen.yaml --path ../../proto/src/main/proto/lladav/v1
go mod tidy
