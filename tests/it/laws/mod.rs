//! The promises of the runtime, one module each; `docs` and ARCHITECTURE.md number them the same way.
