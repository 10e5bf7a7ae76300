-- The changes of a group, one text of rows a kind, in the order of Kind::WITH_ROWS (src/store/encoding/changes.rs).
CREATE OR REPLACE FUNCTION pg_temp.write_changes(p_first BIGINT, p_epoch BIGINT, p_now_us BIGINT, p_changes TEXT[])
RETURNS VOID LANGUAGE plpgsql AS $write_changes$
BEGIN
    IF p_changes[1] <> '' THEN
        INSERT INTO store.attempts (position, attempt, cause, error, generation, epoch, at_us)
        SELECT i.position, i.attempts + 1, b.value ->> 1, b.value ->> 2, (b.value ->> 3)::BIGINT, p_epoch, p_now_us
        FROM json_array_elements(p_changes[1]::JSON) AS b(value)
        JOIN store.inbox AS i
          ON i.position = (b.value ->> 0)::BIGINT AND i.attempts < (b.value ->> 5)::BIGINT;
        UPDATE store.inbox AS i
        SET attempts = i.attempts + 1, last_error = b.value ->> 2, available_at_us = (b.value ->> 4)::BIGINT,
            started_generation = NULL, started_epoch = NULL
        FROM json_array_elements(p_changes[1]::JSON) AS b(value)
        WHERE i.position = (b.value ->> 0)::BIGINT AND i.attempts < (b.value ->> 5)::BIGINT;
    END IF;
    IF p_changes[2] <> '' THEN
        UPDATE store.inbox AS i
        SET started_generation = (s.value ->> 1)::BIGINT,
            started_epoch = CASE WHEN s.value ->> 1 IS NULL THEN NULL ELSE p_epoch END
        FROM json_array_elements(p_changes[2]::JSON) AS s(value) WHERE i.position = (s.value ->> 0)::BIGINT;
    END IF;
    IF p_changes[3] <> '' THEN
        INSERT INTO store.dead_letters (position, reader, context, key, type, attempts, reason, at_us, seen_position,
                                        holds, state, raw)
        SELECT (b.value ->> 0)::BIGINT, b.value ->> 1, b.value ->> 2, b.value ->> 3, b.value ->> 4, 1, b.value ->> 5,
               p_now_us, p_first - 1, (b.value ->> 6)::BIGINT, 0, decode(b.value ->> 7, 'hex')
        FROM json_array_elements(p_changes[3]::JSON) AS b(value) ON CONFLICT (position, reader) DO NOTHING;
    END IF;
    IF p_changes[4] <> '' THEN
        UPDATE store.dead_letters AS l SET body = d.value ->> 2
        FROM json_array_elements(p_changes[4]::JSON) AS d(value)
        WHERE l.position = (d.value ->> 0)::BIGINT AND l.reader = d.value ->> 1 AND l.state = 0;
    END IF;
    IF p_changes[5] <> '' THEN
        UPDATE store.dead_letters AS l
        SET state = (d.value ->> 2)::BIGINT, settled_as = decode(d.value ->> 3, 'hex'), note = d.value ->> 4,
            settled_us = p_now_us
        FROM json_array_elements(p_changes[5]::JSON) AS d(value)
        WHERE l.position = (d.value ->> 0)::BIGINT AND l.reader = d.value ->> 1 AND l.state = 0;
    END IF;
    IF p_changes[6] <> '' THEN
        INSERT INTO store.timers (context, key, name, id, due_us, to_context, to_key, type, schema_version, body,
                                  causation_id, correlation_id, trace, extra, schedule)
        SELECT DISTINCT ON (t.value ->> 0, t.value ->> 1, t.value ->> 2)
               t.value ->> 0, t.value ->> 1, t.value ->> 2, decode(t.value ->> 3, 'hex'), (t.value ->> 4)::BIGINT,
               t.value ->> 5, t.value ->> 6, t.value ->> 7, (t.value ->> 8)::BIGINT, t.value ->> 9,
               decode(t.value ->> 10, 'hex'), decode(t.value ->> 11, 'hex'), t.value ->> 12, t.value ->> 13,
               t.value ->> 14
        FROM json_array_elements(p_changes[6]::JSON) WITH ORDINALITY AS t(value, n)
        ORDER BY t.value ->> 0, t.value ->> 1, t.value ->> 2, t.n DESC
        ON CONFLICT (context, key, name) DO UPDATE
        SET id = excluded.id, due_us = excluded.due_us, to_context = excluded.to_context, to_key = excluded.to_key,
            type = excluded.type, schema_version = excluded.schema_version, body = excluded.body,
            causation_id = excluded.causation_id, correlation_id = excluded.correlation_id, trace = excluded.trace,
            extra = excluded.extra, schedule = excluded.schedule;
    END IF;
    IF p_changes[7] <> '' THEN
        DELETE FROM store.timers AS o USING json_array_elements(p_changes[7]::JSON) AS t(value)
        WHERE o.context = t.value ->> 0 AND o.key = t.value ->> 1 AND o.name = t.value ->> 2
          AND (t.value ->> 3 IS NULL OR o.id = decode(t.value ->> 3, 'hex'));
    END IF;
    IF p_changes[8] <> '' THEN
        INSERT INTO store.effects (id, position, context, key, service, operation, request, recovery, state, attempt,
                                   epoch, staged_us)
        SELECT decode(e.value ->> 0, 'hex'), (e.value ->> 1)::BIGINT, e.value ->> 2, e.value ->> 3, e.value ->> 4,
               e.value ->> 5, e.value ->> 6, (e.value ->> 7)::BIGINT, 0, 0, p_epoch, p_now_us
        FROM json_array_elements(p_changes[8]::JSON) AS e(value)
        ON CONFLICT (id) DO UPDATE
        SET position = excluded.position, service = excluded.service, operation = excluded.operation,
            request = excluded.request, recovery = excluded.recovery;
    END IF;
    IF p_changes[9] <> '' THEN
        UPDATE store.effects AS o
        SET state = 1, attempt = (e.value ->> 1)::BIGINT, epoch = p_epoch, sent_us = p_now_us, ended_us = NULL
        FROM json_array_elements(p_changes[9]::JSON) AS e(value) WHERE o.id = decode(e.value ->> 0, 'hex');
    END IF;
    IF p_changes[10] <> '' THEN
        -- As text, not as jsonb: an answer stays as it was written.
        UPDATE store.effects AS o
        SET late = left(coalesce(o.late, '[]'), -1) || CASE WHEN coalesce(o.late, '[]') = '[]' THEN '' ELSE ',' END
            || '{"attempt":' || (e.value ->> 1) || ',"response":' || coalesce((e.value -> 3)::TEXT, 'null')
            || ',"error":' || coalesce((e.value -> 4)::TEXT, 'null') || ',"at_us":' || p_now_us || '}]'
        FROM json_array_elements(p_changes[10]::JSON) AS e(value)
        WHERE o.id = decode(e.value ->> 0, 'hex') AND (o.attempt <> (e.value ->> 1)::BIGINT OR o.state <> 1);
        UPDATE store.effects AS o
        SET state = (e.value ->> 2)::BIGINT, response = e.value ->> 3, error = e.value ->> 4, ended_us = p_now_us
        FROM json_array_elements(p_changes[10]::JSON) AS e(value)
        WHERE o.id = decode(e.value ->> 0, 'hex') AND o.attempt = (e.value ->> 1)::BIGINT AND o.state = 1;
    END IF;
    IF p_changes[11] <> '' THEN
        UPDATE store.effects AS o
        SET state = (e.value ->> 2)::BIGINT, response = e.value ->> 3, error = e.value ->> 4, ended_us = p_now_us
        FROM json_array_elements(p_changes[11]::JSON) AS e(value)
        WHERE o.id = decode(e.value ->> 0, 'hex') AND o.state = 4;
    END IF;
END
$write_changes$;
