-- What a first run must come to: flow, outcome, rows.
WITH settings AS (
    SELECT coalesce(nullif(current_setting('test.bots', true), ''), 'true') = 'true' AS bots
), happened AS (
    SELECT e.*, j.json::json AS event FROM events e
    JOIN (SELECT event_id, replace(json, '\u0000', '?') AS json FROM event_json) j USING (event_id)
), known AS (
    SELECT * FROM happened WHERE NOT outlier AND rejection_reason IS NULL
), standing AS (
    SELECT DISTINCT ON (room_id, state_key) room_id, state_key AS who, event #>> '{content,membership}' AS membership
    FROM known WHERE type = 'm.room.member' ORDER BY room_id, state_key, stream_ordering DESC
), twos AS (
    SELECT room_id, array_agg(who) AS people FROM standing
    WHERE EXISTS (SELECT FROM account_data WHERE account_data_type = 'm.direct' AND strpos(content, '"' || room_id || '"') > 0)
    GROUP BY room_id HAVING count(*) = 2
), spaces AS (
    SELECT room_id FROM room_stats_state WHERE room_type = 'm.space'
), robots AS (
    SELECT name FROM users WHERE user_type = 'bot'
), texts AS (
    SELECT event_id, edited IS NOT NULL AS edited, coalesce(edited, event #>> '{content,body}', '') AS body,
           event #>> '{content,url}' LIKE 'mxc://%' AND edited IS NULL AS has_file,
           event #>> '{content,filename}' IS NOT NULL AND event #>> '{content,filename}' <> event #>> '{content,body}' AS captioned
    FROM known k LEFT JOIN LATERAL (
        SELECT x.event #>> '{content,m.new_content,body}' AS edited FROM known x
        WHERE x.event #>> '{content,m.relates_to,rel_type}' = 'm.replace' AND x.sender = k.sender
          AND x.event #>> '{content,m.relates_to,event_id}' = k.event_id AND x.event_id NOT IN (SELECT redacts FROM redactions)
        ORDER BY x.origin_server_ts DESC LIMIT 1) edit ON true
    WHERE k.type IN ('m.room.message', 'm.sticker')
), judged AS (
    SELECT CASE
        WHEN outlier OR rejection_reason <> '' THEN 'skipped: not part of the room'
        WHEN state_key IS NOT NULL THEN 'skipped: state of a room'
        WHEN type = 'm.reaction' THEN 'skipped: reaction'
        WHEN type = 'm.room.redaction' THEN 'skipped: redaction'
        WHEN type = 'm.room.encrypted' THEN 'skipped: encrypted'
        WHEN type NOT IN ('m.room.message', 'm.sticker') THEN 'skipped: not a message'
        WHEN event_id IN (SELECT redacts FROM redactions) THEN 'skipped: redacted'
        WHEN event::text LIKE '%"rel_type": "m.replace"%' THEN 'skipped: edit'
        WHEN room_id NOT IN (SELECT room_id FROM rooms) THEN 'skipped: room is gone'
        WHEN room_id IN (SELECT room_id FROM spaces) THEN 'skipped: space'
        WHEN NOT bots AND (sender IN (SELECT name FROM robots)
             OR (SELECT people FROM twos WHERE twos.room_id = h.room_id) && (SELECT array_agg(name) FROM robots)) THEN 'skipped: bot'
        WHEN sender <> ALL ((SELECT people FROM twos WHERE twos.room_id = h.room_id)::text[])
            THEN 'skipped: author is not of the conversation'
        WHEN received_ts IS NULL AND origin_server_ts = 0 THEN 'skipped: time is unknown'
        WHEN NOT coalesce(has_file, false) AND body !~ '\S' THEN 'skipped: nothing to show'
        ELSE 'imported' END AS outcome,
        CASE WHEN octet_length(btrim(body, E' \n')) > 6000 THEN ceil(length(btrim(body, E' \n')) / 1500.0)::int ELSE 1 END AS rows
    FROM settings, happened h LEFT JOIN texts USING (event_id)
)
SELECT 'users' AS flow, CASE WHEN NOT bots AND name IN (SELECT name FROM robots) THEN 'skipped: bot' ELSE 'imported' END AS outcome, count(*)
FROM users, settings GROUP BY 2
UNION ALL
SELECT 'people of other servers', 'imported', count(DISTINCT who) FROM standing WHERE who NOT LIKE '%:example.org'
UNION ALL
SELECT 'placeholders', 'imported', count(DISTINCT sender) FROM known WHERE sender LIKE '%:gone.net' AND type IN ('m.room.message', 'm.sticker')
UNION ALL
SELECT 'groups', CASE WHEN room_id IN (SELECT room_id FROM spaces) THEN 'skipped: space'
    WHEN room_id IN (SELECT room_id FROM twos) THEN 'skipped: conversation of two' ELSE 'imported' END, count(*)
FROM rooms GROUP BY 2
UNION ALL
SELECT 'members', CASE WHEN room_id IN (SELECT room_id FROM spaces) THEN 'skipped: space'
    WHEN room_id IN (SELECT room_id FROM twos) THEN 'skipped: conversation of two'
    WHEN NOT bots AND who IN (SELECT name FROM robots) THEN 'skipped: bot'
    WHEN membership = 'leave' THEN 'skipped: left' WHEN membership IN ('invite', 'knock') THEN 'skipped: has not come yet'
    ELSE 'imported' END, count(*)
FROM standing, settings GROUP BY 2
UNION ALL
SELECT 'messages', outcome, sum(rows)::bigint FROM judged GROUP BY 2
