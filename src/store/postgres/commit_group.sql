-- One group of units in one call: one round trip, plans that stay, and every statement sees what those before it did.
-- It belongs to the session, so that it is always the one this program was built with. Arrays run in parallel; each
-- text of JSON holds an array of rows. What the rows hold: src/store/encoding and src/store/postgres/encode.rs.
CREATE OR REPLACE FUNCTION pg_temp.commit_group(
    p_first BIGINT, p_epoch BIGINT, p_now_us BIGINT, p_group BIGINT,
    m_id BYTEA[], m_kind BIGINT[], m_context TEXT[], m_key TEXT[], m_stream_version BIGINT[], m_type TEXT[],
    m_schema_version BIGINT[], m_body TEXT[], m_time_us BIGINT[], m_causation_id BYTEA[], m_correlation_id BYTEA[],
    m_trace TEXT[], m_extra TEXT[],
    h_position BIGINT[], h_status BIGINT[], h_first BIGINT[], h_last BIGINT[], h_answer TEXT[], h_holds BIGINT[],
    h_raw BYTEA[],
    p_changes TEXT[], p_snapshots TEXT, p_checkpoints TEXT, p_idempotency TEXT, p_tables TEXT,
    t_name TEXT[], t_from BIGINT[], t_to BIGINT[], r_key TEXT[], r_sort TEXT[], r_search TEXT[], r_body TEXT[]
) RETURNS VOID LANGUAGE plpgsql AS $commit_group$
BEGIN
    -- The lock that this session holds keeps others from raising the epoch while this runs.
    IF NOT EXISTS (SELECT 1 FROM store.process_epoch WHERE epoch = p_epoch) THEN
        RAISE EXCEPTION 'the epoch % is over', p_epoch USING ERRCODE = 'MP001';
    END IF;

    IF cardinality(m_id) > 0 THEN
        INSERT INTO store.events (position, id, kind, context, key, stream_version, type, schema_version, body, time_us,
                                  causation_id, correlation_id, trace, extra, epoch)
        SELECT p_first + m.n - 1, m.id, m.kind, m.context, m.key, m.stream_version, m.type, m.schema_version, m.body,
               m.time_us, m.causation_id, m.correlation_id, m.trace, m.extra, p_epoch
        FROM unnest(m_id, m_kind, m_context, m_key, m_stream_version, m_type, m_schema_version, m_body, m_time_us,
                    m_causation_id, m_correlation_id, m_trace, m_extra)
             WITH ORDINALITY AS m(id, kind, context, key, stream_version, type, schema_version, body, time_us,
                                  causation_id, correlation_id, trace, extra, n);
        INSERT INTO store.inbox (position, context)
        SELECT p_first + m.n - 1, m.context FROM unnest(m_kind, m_context) WITH ORDINALITY AS m(kind, context, n)
        WHERE m.kind = 0;
    END IF;

    IF cardinality(p_changes) > 0 THEN
        PERFORM pg_temp.write_changes(p_first, p_epoch, p_now_us, p_changes);
    END IF;

    IF cardinality(h_position) > 0 THEN
        INSERT INTO store.dead_letters (position, reader, context, key, type, attempts, reason, at_us, seen_position,
                                        holds, state, raw)
        SELECT e.position, '', e.context, e.key, e.type, i.attempts, h.answer, p_now_us, p_first - 1, h.holds, 0, h.raw
        FROM unnest(h_position, h_status, h_answer, h_holds, h_raw) AS h(position, status, answer, holds, raw)
        JOIN store.events AS e ON e.position = h.position
        JOIN store.inbox AS i ON i.position = e.position
        WHERE h.status = 2;
        INSERT INTO store.outcomes (position, status, first_position, last_position, answer, at_us, epoch)
        SELECT h.position, h.status, h.first, h.last, h.answer, p_now_us, p_epoch
        FROM unnest(h_position, h_status, h_first, h_last, h_answer) AS h(position, status, first, last, answer);
        DELETE FROM store.inbox WHERE position = ANY (h_position);
    END IF;

    IF p_snapshots <> '[]' THEN
        INSERT INTO store.snapshots (context, key, stream_version, state_version, code_hash, body)
        SELECT DISTINCT ON (s.value ->> 0, s.value ->> 1)
               s.value ->> 0, s.value ->> 1, (s.value ->> 2)::BIGINT, (s.value ->> 3)::BIGINT, (s.value ->> 4)::BIGINT,
               s.value ->> 5
        FROM json_array_elements(p_snapshots::JSON) WITH ORDINALITY AS s(value, n)
        ORDER BY s.value ->> 0, s.value ->> 1, s.n DESC
        ON CONFLICT (context, key) DO UPDATE
        SET stream_version = excluded.stream_version, state_version = excluded.state_version,
            code_hash = excluded.code_hash, body = excluded.body;
    END IF;

    IF p_checkpoints <> '[]' THEN
        INSERT INTO store.checkpoints (reader, position, epoch)
        SELECT DISTINCT ON (c.value ->> 0) c.value ->> 0, (c.value ->> 1)::BIGINT, p_epoch
        FROM json_array_elements(p_checkpoints::JSON) WITH ORDINALITY AS c(value, n)
        ORDER BY c.value ->> 0, c.n DESC
        ON CONFLICT (reader) DO UPDATE SET position = excluded.position, epoch = excluded.epoch;
    END IF;

    IF p_idempotency <> '[]' THEN
        INSERT INTO store.idempotency (digest, body_digest, message_id, at_us)
        SELECT decode(k.value ->> 0, 'hex'), decode(k.value ->> 1, 'hex'), decode(k.value ->> 2, 'hex'), p_now_us
        FROM json_array_elements(p_idempotency::JSON) AS k(value);
    END IF;

    -- A group without messages leaves its number, so that whoever lost the answer can ask whether it is there.
    IF p_group IS NOT NULL THEN
        INSERT INTO store.checkpoints (reader, position, epoch) VALUES (E'\x02group', p_group, p_epoch)
        ON CONFLICT (reader) DO UPDATE SET position = excluded.position, epoch = excluded.epoch;
    END IF;

    IF p_tables <> '' THEN
        EXECUTE p_tables;
    END IF;

    FOR t IN 1 .. cardinality(t_name) LOOP
        EXECUTE 'INSERT INTO ' || t_name[t] || ' (key, sort, search, body)
                 SELECT r.key, r.sort, r.search, r.body FROM unnest($1, $2, $3, $4) AS r(key, sort, search, body)
                 WHERE r.body IS NOT NULL
                 ON CONFLICT (key) DO UPDATE SET sort = excluded.sort, search = excluded.search, body = excluded.body'
            USING r_key[t_from[t]:t_to[t]], r_sort[t_from[t]:t_to[t]], r_search[t_from[t]:t_to[t]],
                  r_body[t_from[t]:t_to[t]];
        IF array_position(r_body[t_from[t]:t_to[t]], NULL) IS NOT NULL THEN
            EXECUTE 'DELETE FROM ' || t_name[t] || ' WHERE key IN (
                     SELECT r.key FROM unnest($1, $2) AS r(key, body) WHERE r.body IS NULL)'
                USING r_key[t_from[t]:t_to[t]], r_body[t_from[t]:t_to[t]];
        END IF;
    END LOOP;
END
$commit_group$;
