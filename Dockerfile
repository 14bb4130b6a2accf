# One image for each program: the four services, and `karcis` for migrations and topics.
#   docker compose build                             compiles here (BuildKit)
#   KARCIS_BINARIES=<folder> docker compose build    uses existing binaries for Debian 12
# Older builders run every stage before the requested one, so the compiling stages come last.

FROM debian:bookworm-slim AS runtime
ARG PROGRAM
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="karcis-${PROGRAM}" \
      org.opencontainers.image.description="Karcis sells tickets for events: ${PROGRAM}" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
USER 65532:65532
# The program is process 1, so it receives the stop signal and drains within 10 s.
ENTRYPOINT ["/program"]

FROM runtime AS prebuilt
ARG PROGRAM
COPY ${PROGRAM} /program

FROM rust:1.95-bookworm AS chef
RUN cargo install cargo-chef --locked --version 0.1.78
WORKDIR /source

FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
# Backtraces need the names of functions, but no line numbers.
ENV CARGO_PROFILE_RELEASE_STRIP=debuginfo
COPY --from=planner /source/recipe.json .
# The dependencies are compiled again only when they change.
RUN cargo chef cook --release --locked --workspace --bins --features karcis-messaging/tls --recipe-path recipe.json
COPY . .
RUN cargo build --release --locked --workspace --bins --features karcis-messaging/tls

FROM runtime
ARG PROGRAM
COPY --from=build /source/target/release/${PROGRAM} /program
