FROM --platform=$BUILDPLATFORM golang:1.26 AS build
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

FROM gcr.io/distroless/static:nonroot
ARG VERSION=devel
LABEL org.opencontainers.image.title="importjobstop-operator" \
      org.opencontainers.image.description="Stops data imports into TencentDB for MySQL, as ImportJobStop objects ask for it" \
      org.opencontainers.image.source="https://github.com/tencentcloud-cdb/importjobstop-operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
COPY --from=build /manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
