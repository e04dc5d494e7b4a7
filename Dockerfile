FROM --platform=$BUILDPLATFORM golang:1.26@sha256:3aff6657219a4d9c14e27fb1d8976c49c29fddb70ba835014f477e1c70636647 AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY main.go options.go ./
COPY api api
COPY controllers controllers
COPY internal internal
ARG VERSION=devel
# No time, path or machine is in the binary: the same sources and version make the same bytes.
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -ldflags="-s -w -X main.version=$VERSION" -o /manager .

FROM gcr.io/distroless/static:nonroot@sha256:e2e927ec666bae08560abb3c55d0659eceabb657f56b6782ab500a9fc7f555e3
ARG VERSION=devel
LABEL org.opencontainers.image.title="importjobstop-operator" \
      org.opencontainers.image.description="Stops data imports into TencentDB for MySQL, as ImportJobStop objects ask for it" \
      org.opencontainers.image.source="https://github.com/tencentcloud-cdb/importjobstop-operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
COPY --from=build /manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
