-- A row in here: this store is being filled by a copy and is none before that has ended.
CREATE TABLE copying (
    one INTEGER PRIMARY KEY CHECK (one = 1)
) STRICT;

-- The key that each person's messages are sealed with, itself sealed with that of the data folder. An erased one
-- keeps its row without the key.
CREATE TABLE subject_keys (
    subject   TEXT    PRIMARY KEY,
    sealed    BLOB,
    made_us   INTEGER NOT NULL,
    erased_us INTEGER
) STRICT, WITHOUT ROWID;
