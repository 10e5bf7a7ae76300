-- The twin of migrations/sqlite/0003_operations.sql.

-- A row in here: this store is being filled by a copy and is none before that has ended.
CREATE TABLE store.copying (
    one BIGINT PRIMARY KEY CHECK (one = 1)
);

-- The key that each person's messages are sealed with, itself sealed with that of the data folder. An erased one
-- keeps its row without the key.
CREATE TABLE store.subject_keys (
    subject   TEXT   COLLATE "C" PRIMARY KEY,
    sealed    BYTEA,
    made_us   BIGINT NOT NULL,
    erased_us BIGINT
);
