# `just` lists these; each line also works without just.

_list:
    @just --list --unsorted

# Everything that is checked without running a service
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked
    cargo test -p karcis-tidy --locked
    tests/text-lint/run

# Formats, and mends what the compiler and the spelling check can mend
fix:
    cargo clippy --workspace --all-targets --locked --fix --allow-dirty --allow-staged
    cargo fmt --all
    tests/text-lint/run --write-changes

# Every test, with real Kafka and Postgres; or one package's: just test -p karcis-http
test *arguments='--workspace':
    cargo test --locked {{arguments}}

# Everything, on this machine
up *arguments:
    cargo run --locked -- {{arguments}}

# Writes docs/openapi and docs/asyncapi.json from the code
docs:
    KARCIS_WRITE_DOCS=1 cargo test --locked -p karcis-contracts -p karcis-tests api
