-- The twin of migrations/sqlite/0002_laws.sql.

-- How often a message was being handled when the process died; those are run alone from then on.
ALTER TABLE store.inbox ADD COLUMN crashes BIGINT  NOT NULL DEFAULT 0;

-- Every failed attempt at a message, with its cause; kept after the message has left the inbox, until retention.
CREATE TABLE store.attempts (
    position   BIGINT  NOT NULL,
    attempt    BIGINT  NOT NULL,
    cause      TEXT    COLLATE "C" NOT NULL,
    error      TEXT    COLLATE "C" NOT NULL,
    generation BIGINT  NOT NULL,
    epoch      BIGINT  NOT NULL,
    at_us      BIGINT  NOT NULL,
    PRIMARY KEY (position, attempt)
);

-- What could not be handled. reader is empty for a command, else the read model or policy that could not take the
-- event. raw is what stands in a row that does not read. seen_position: what was committed when it died.
DROP TABLE store.dead_letters;
CREATE TABLE store.dead_letters (
    position      BIGINT  NOT NULL,
    reader        TEXT    COLLATE "C" NOT NULL,
    context       TEXT    COLLATE "C" NOT NULL,
    key           TEXT    COLLATE "C" NOT NULL,
    type          TEXT    COLLATE "C" NOT NULL,
    attempts      BIGINT  NOT NULL,
    reason        TEXT    COLLATE "C" NOT NULL,
    at_us         BIGINT  NOT NULL,
    seen_position BIGINT  NOT NULL,
    holds         BIGINT  NOT NULL CHECK (holds IN (0, 1)),
    state         BIGINT  NOT NULL CHECK (state IN (0, 1, 2)),
    body          TEXT    COLLATE "C",
    raw           BYTEA,
    settled_us    BIGINT,
    settled_as    BYTEA,
    note          TEXT    COLLATE "C",
    PRIMARY KEY (position, reader)
);

CREATE INDEX dead_letters_open ON store.dead_letters (context, key) WHERE state = 0;

-- Commands that are given when their time comes. One a name of an owner; to_key is NULL where each firing is for
-- a new aggregate. schedule is what recurs.
CREATE TABLE store.timers (
    context        TEXT    COLLATE "C" NOT NULL,
    key            TEXT    COLLATE "C" NOT NULL,
    name           TEXT    COLLATE "C" NOT NULL,
    id             BYTEA   NOT NULL CHECK (length(id) = 16),
    due_us         BIGINT  NOT NULL,
    to_context     TEXT    COLLATE "C" NOT NULL,
    to_key         TEXT    COLLATE "C",
    type           TEXT    COLLATE "C" NOT NULL,
    schema_version BIGINT  NOT NULL,
    body           TEXT    COLLATE "C" NOT NULL,
    causation_id   BYTEA,
    correlation_id BYTEA,
    trace          TEXT    COLLATE "C",
    extra          TEXT    COLLATE "C",
    schedule       TEXT    COLLATE "C",
    PRIMARY KEY (context, key, name)
);

CREATE INDEX timers_due ON store.timers (due_us);

-- Calls to the outside. id is the stable key that the remote is given; attempt tells an answer that comes late.
CREATE TABLE store.effects (
    id        BYTEA   PRIMARY KEY CHECK (length(id) = 16),
    position  BIGINT  NOT NULL,
    context   TEXT    COLLATE "C" NOT NULL,
    key       TEXT    COLLATE "C" NOT NULL,
    service   TEXT    COLLATE "C" NOT NULL,
    operation TEXT    COLLATE "C" NOT NULL,
    request   TEXT    COLLATE "C" NOT NULL,
    recovery  BIGINT  NOT NULL CHECK (recovery IN (0, 1, 2)),
    state     BIGINT  NOT NULL CHECK (state IN (0, 1, 2, 3, 4)),
    attempt   BIGINT  NOT NULL,
    epoch     BIGINT  NOT NULL,
    response  TEXT    COLLATE "C",
    error     TEXT    COLLATE "C",
    late      TEXT    COLLATE "C",
    staged_us BIGINT  NOT NULL,
    sent_us   BIGINT,
    ended_us  BIGINT
);

CREATE INDEX effects_position ON store.effects (position);

CREATE INDEX idempotency_at ON store.idempotency (at_us);

ALTER TABLE store.snapshots ADD COLUMN code_hash BIGINT  NOT NULL DEFAULT 0;
