# The one gate is `just check`; CI runs nothing else. A rule that is not in here is not a rule.

# Show what there is.
default:
    @just --list

# Everything that must hold before a commit lands.
check: static test

# The gate without the tests.
static: fmt clippy doc deny unused

# The layout is rustfmt's.
fmt:
    cargo fmt --check

# Lints of Cargo.toml and clippy.toml; a warning is an error.
clippy:
    cargo clippy --all-targets -- -D warnings
    cargo clippy --test simulation -- -D warnings

# All tests; the ones that need PostgreSQL or a browser say when they are skipped.
test:
    cargo test

# The property tests with so many other seeds; each is printed, PROPTEST_RNG_SEED=n repeats it.
explore ROUNDS="10":
    for round in $(seq {{ROUNDS}}); do \
        export PROPTEST_RNG_SEED=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ') && echo "seed $PROPTEST_RNG_SEED" \
        && cargo test --lib --quiet && cargo test --test it --quiet -- store_contract laws replay || exit 1; \
    done

# The runtime on a simulated disk under that many seeds of faults; SIM_SEED=n runs one and tells what happened.
simulate SEEDS:
    SIM_SEEDS={{SEEDS}} cargo test --profile simulation --test simulation -- --nocapture

# Documentation builds without broken links.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

# Licences, banned crates and sources of the dependency tree.
deny:
    cargo deny check bans licenses sources

# Dependencies that nothing uses.
unused:
    cargo machete

# Known vulnerabilities; downloads the advisory database, so it is no part of the gate.
audit:
    cargo deny check advisories

# Durable operations beside their floors.
bench:
    cargo bench --bench durable

# Serve a sample household; arguments go to the program.
run *ARGS="serve --demo":
    cargo run --release -- {{ARGS}}

# Draft samples of message versions that have none and list new samples; landed ones stay as they are.
samples:
    cargo test --test it samples::draft_missing_samples -- --ignored

# Kill the real process so many times at random moments; SOAK_SEED repeats a schedule.
soak KILLS="1000":
    SOAK_KILLS={{KILLS}} cargo test --test it crash::soak -- --nocapture
