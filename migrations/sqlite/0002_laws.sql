-- How often a message was being handled when the process died; those are run alone from then on.
ALTER TABLE inbox ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;

-- Every failed attempt at a message, with its cause; kept after the message has left the inbox, until retention.
CREATE TABLE attempts (
    position   INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    cause      TEXT    NOT NULL,
    error      TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    at_us      INTEGER NOT NULL,
    PRIMARY KEY (position, attempt)
) STRICT, WITHOUT ROWID;

-- What could not be handled. reader is empty for a command, else the read model or policy that could not take the
-- event. raw is what stands in a row that does not read. seen_position: what was committed when it died.
DROP TABLE dead_letters;
CREATE TABLE dead_letters (
    position      INTEGER NOT NULL,
    reader        TEXT    NOT NULL,
    context       TEXT    NOT NULL,
    key           TEXT    NOT NULL,
    type          TEXT    NOT NULL,
    attempts      INTEGER NOT NULL,
    reason        TEXT    NOT NULL,
    at_us         INTEGER NOT NULL,
    seen_position INTEGER NOT NULL,
    holds         INTEGER NOT NULL CHECK (holds IN (0, 1)),
    state         INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
    body          TEXT,
    raw           BLOB,
    settled_us    INTEGER,
    settled_as    BLOB,
    note          TEXT,
    PRIMARY KEY (position, reader)
) STRICT, WITHOUT ROWID;

CREATE INDEX dead_letters_open ON dead_letters (context, key) WHERE state = 0;

-- Commands that are given when their time comes. One a name of an owner; to_key is NULL where each firing is for
-- a new aggregate. schedule is what recurs.
CREATE TABLE timers (
    context        TEXT    NOT NULL,
    key            TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    id             BLOB    NOT NULL CHECK (length(id) = 16),
    due_us         INTEGER NOT NULL,
    to_context     TEXT    NOT NULL,
    to_key         TEXT,
    type           TEXT    NOT NULL,
    schema_version INTEGER NOT NULL,
    body           TEXT    NOT NULL,
    causation_id   BLOB,
    correlation_id BLOB,
    trace          TEXT,
    extra          TEXT,
    schedule       TEXT,
    PRIMARY KEY (context, key, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX timers_due ON timers (due_us);

-- Calls to the outside. id is the stable key that the remote is given; attempt tells an answer that comes late.
CREATE TABLE effects (
    id        BLOB    PRIMARY KEY CHECK (length(id) = 16),
    position  INTEGER NOT NULL,
    context   TEXT    NOT NULL,
    key       TEXT    NOT NULL,
    service   TEXT    NOT NULL,
    operation TEXT    NOT NULL,
    request   TEXT    NOT NULL,
    recovery  INTEGER NOT NULL CHECK (recovery IN (0, 1, 2)),
    state     INTEGER NOT NULL CHECK (state IN (0, 1, 2, 3, 4)),
    attempt   INTEGER NOT NULL,
    epoch     INTEGER NOT NULL,
    response  TEXT,
    error     TEXT,
    late      TEXT,
    staged_us INTEGER NOT NULL,
    sent_us   INTEGER,
    ended_us  INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX effects_position ON effects (position);

CREATE INDEX idempotency_at ON idempotency (at_us);

ALTER TABLE snapshots ADD COLUMN code_hash INTEGER NOT NULL DEFAULT 0;
