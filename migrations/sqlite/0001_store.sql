-- Everything that was accepted and everything that happened, in one order. Rows are never updated or deleted.
-- epoch is NOT NULL on purpose: a writer whose epoch is gone reads NULL for it and cannot insert.
CREATE TABLE events (
    position       INTEGER PRIMARY KEY,
    id             BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    kind           INTEGER NOT NULL CHECK (kind IN (0, 1)),
    context        TEXT    NOT NULL,
    key            TEXT    NOT NULL,
    stream_version INTEGER,
    type           TEXT    NOT NULL,
    schema_version INTEGER NOT NULL,
    body           TEXT    NOT NULL,
    time_us        INTEGER NOT NULL,
    causation_id   BLOB,
    correlation_id BLOB    NOT NULL,
    trace          TEXT,
    extra          TEXT,
    epoch          INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_stream ON events (context, key, stream_version) WHERE stream_version IS NOT NULL;

-- Commands that are accepted and not yet handled; position is that of the command in events.
CREATE TABLE inbox (
    position           INTEGER PRIMARY KEY,
    context            TEXT    NOT NULL,
    attempts           INTEGER NOT NULL DEFAULT 0,
    available_at_us    INTEGER NOT NULL DEFAULT 0,
    deadline_us        INTEGER,
    started_generation INTEGER,
    started_epoch      INTEGER,
    last_error         TEXT
) STRICT;

-- The stored answer of every handled command: a repeat gets the same one.
CREATE TABLE outcomes (
    position       INTEGER PRIMARY KEY,
    status         INTEGER NOT NULL CHECK (status IN (0, 1, 2)),
    first_position INTEGER,
    last_position  INTEGER,
    answer         TEXT,
    at_us          INTEGER NOT NULL,
    epoch          INTEGER NOT NULL
) STRICT;

-- One row a key given by a client; digest covers the key and whose it is, body_digest what was asked.
CREATE TABLE idempotency (
    digest      BLOB    PRIMARY KEY,
    body_digest BLOB    NOT NULL,
    message_id  BLOB    NOT NULL,
    at_us       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letters (
    position   INTEGER PRIMARY KEY,
    context    TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    attempts   INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    at_us      INTEGER NOT NULL
) STRICT;

CREATE TABLE snapshots (
    context        TEXT    NOT NULL,
    key            TEXT    NOT NULL,
    stream_version INTEGER NOT NULL,
    state_version  INTEGER NOT NULL,
    body           TEXT    NOT NULL,
    PRIMARY KEY (context, key)
) STRICT, WITHOUT ROWID;

-- How far each reader has come; written in one transaction with what the reader did.
CREATE TABLE checkpoints (
    reader   TEXT    PRIMARY KEY,
    position INTEGER NOT NULL,
    epoch    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE process_epoch (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    epoch      INTEGER NOT NULL,
    started_us INTEGER NOT NULL,
    clean      INTEGER NOT NULL
) STRICT;

INSERT INTO process_epoch (one, epoch, started_us, clean) VALUES (1, 0, 0, 1);

CREATE TABLE sessions (
    digest     BLOB    PRIMARY KEY,
    expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
