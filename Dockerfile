# syntax=docker/dockerfile:1
# chatferry in a container: see "In a container" in docs/operating.md.

FROM rust:1.95-slim-bookworm AS build
# The image has the C compiler that SQLite and the compression libraries are built with.
WORKDIR /src
COPY . .
# The commit for `chatferry --version`; the checkout's own history is not copied.
ARG COMMIT=""
ENV CHATFERRY_COMMIT=${COMMIT}
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package chatferry --bin chatferry \
    && install -D target/release/chatferry /out/chatferry

# Nothing but the C library, the roots of TLS and the zones of times: no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="chatferry" \
      org.opencontainers.image.description="Moves a legacy chat into CometChat" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/chatferry /usr/local/bin/chatferry
COPY --from=build /src/LICENSE /usr/share/doc/chatferry/LICENSE
# The pipeline, its ledger and its reports are here; it is mounted.
WORKDIR /work
# The user `nonroot` of that image, by its number, which Kubernetes can see is not root.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/chatferry"]
CMD ["--help"]
