-- The twin of migrations/sqlite/0001_store.sql, in the schema "store". A NUL, which text cannot hold, is escaped on its
-- way in. Everything is compared byte by byte, as SQLite does.

-- Everything that was accepted and everything that happened, in one order. Rows are never updated or deleted.
CREATE TABLE store.events (
    position       BIGINT PRIMARY KEY,
    id             BYTEA  NOT NULL UNIQUE CHECK (length(id) = 16),
    kind           BIGINT NOT NULL CHECK (kind IN (0, 1)),
    context        TEXT   COLLATE "C" NOT NULL,
    key            TEXT   COLLATE "C" NOT NULL,
    stream_version BIGINT,
    type           TEXT   COLLATE "C" NOT NULL,
    schema_version BIGINT NOT NULL,
    body           TEXT   COLLATE "C" NOT NULL,
    time_us        BIGINT NOT NULL,
    causation_id   BYTEA,
    correlation_id BYTEA  NOT NULL,
    trace          TEXT   COLLATE "C",
    extra          TEXT   COLLATE "C",
    epoch          BIGINT NOT NULL
);

CREATE UNIQUE INDEX events_stream ON store.events (context, key, stream_version) WHERE stream_version IS NOT NULL;

-- Commands that are accepted and not yet handled; position is that of the command in events.
CREATE TABLE store.inbox (
    position           BIGINT PRIMARY KEY,
    context            TEXT   COLLATE "C" NOT NULL,
    attempts           BIGINT NOT NULL DEFAULT 0,
    available_at_us    BIGINT NOT NULL DEFAULT 0,
    deadline_us        BIGINT,
    started_generation BIGINT,
    started_epoch      BIGINT,
    last_error         TEXT   COLLATE "C"
);

-- The stored answer of every handled command: a repeat gets the same one.
CREATE TABLE store.outcomes (
    position       BIGINT PRIMARY KEY,
    status         BIGINT NOT NULL CHECK (status IN (0, 1, 2)),
    first_position BIGINT,
    last_position  BIGINT,
    answer         TEXT   COLLATE "C",
    at_us          BIGINT NOT NULL,
    epoch          BIGINT NOT NULL
);

-- One row a key given by a client; digest covers the key and whose it is, body_digest what was asked.
CREATE TABLE store.idempotency (
    digest      BYTEA  PRIMARY KEY,
    body_digest BYTEA  NOT NULL,
    message_id  BYTEA  NOT NULL,
    at_us       BIGINT NOT NULL
);

CREATE TABLE store.dead_letters (
    position BIGINT PRIMARY KEY,
    context  TEXT   COLLATE "C" NOT NULL,
    key      TEXT   COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    reason   TEXT   COLLATE "C" NOT NULL,
    at_us    BIGINT NOT NULL
);

CREATE TABLE store.snapshots (
    context        TEXT   COLLATE "C" NOT NULL,
    key            TEXT   COLLATE "C" NOT NULL,
    stream_version BIGINT NOT NULL,
    state_version  BIGINT NOT NULL,
    body           TEXT   COLLATE "C" NOT NULL,
    PRIMARY KEY (context, key)
);

-- How far each reader has come; written in one transaction with what the reader did.
CREATE TABLE store.checkpoints (
    reader   TEXT   COLLATE "C" PRIMARY KEY,
    position BIGINT NOT NULL,
    epoch    BIGINT NOT NULL
);

CREATE TABLE store.process_epoch (
    one        BIGINT PRIMARY KEY CHECK (one = 1),
    epoch      BIGINT NOT NULL,
    started_us BIGINT NOT NULL,
    clean      BIGINT NOT NULL
);

INSERT INTO store.process_epoch (one, epoch, started_us, clean) VALUES (1, 0, 0, 1);

CREATE TABLE store.sessions (
    digest     BYTEA  PRIMARY KEY,
    expires_us BIGINT NOT NULL
);
