-- What a first run must come to: flow, outcome, rows. The organisation is the second.
WITH settings AS (
    SELECT coalesce(nullif(current_setting('test.bots', true), ''), 'true') = 'true' AS bots
), people AS (
    SELECT id, is_bot FROM zerver_userprofile WHERE realm_id = 2
), talks AS (
    SELECT r.id, type_id, array_agg(user_profile_id) AS who FROM zerver_recipient r JOIN zerver_subscription s ON recipient_id = r.id
    WHERE type = 3 GROUP BY r.id HAVING array_agg(user_profile_id) && (SELECT array_agg(id) FROM people)
), messages AS (
    SELECT m.id, sender_id, content, (SELECT count(*) FROM zerver_attachment_messages a WHERE a.message_id = m.id)::int AS files,
           CASE WHEN r.type = 1 THEN ARRAY[sender_id, r.type_id] WHEN r.type = 3 THEN talks.who END AS who, r.type = 2 AS in_stream
    FROM zerver_message m JOIN zerver_recipient r ON r.id = recipient_id LEFT JOIN talks ON talks.id = r.id WHERE m.realm_id = 2
), own AS (
    SELECT sender_id, is_bot FROM messages JOIN people ON people.id = sender_id
    WHERE who[1] = sender_id AND who[cardinality(who)] = sender_id GROUP BY 1, 2
), judged AS (
    SELECT CASE
        WHEN sender_id NOT IN (SELECT id FROM people) THEN 'skipped: system message'
        WHEN NOT in_stream AND NOT (SELECT array_agg(id) FROM people) @> who THEN 'skipped: conversation with a system bot'
        WHEN NOT bots AND (sender_id IN (SELECT id FROM people WHERE is_bot)
             OR cardinality(who) < 3 AND who && (SELECT array_agg(id) FROM people WHERE is_bot)) THEN 'skipped: bot'
        WHEN files = 0 AND content !~ '\S' THEN 'skipped: nothing to show'
        ELSE 'imported' END AS outcome,
        CASE WHEN length(content) > 5900 THEN ceil(length(btrim(content)) / 1500.0)::int + files ELSE greatest(files, 1) END AS rows
    FROM messages, settings
), members AS (
    SELECT s.*, type FROM zerver_subscription s JOIN zerver_recipient r ON r.id = recipient_id
    WHERE (type = 2 AND type_id IN (SELECT id FROM zerver_stream WHERE realm_id = 2))
       OR recipient_id IN (SELECT id FROM talks WHERE cardinality(who) > 2)
)
SELECT 'users' AS flow, CASE WHEN is_bot AND NOT bots THEN 'skipped: bot' ELSE 'imported' END AS outcome, count(*) FROM people, settings GROUP BY 2
UNION ALL
SELECT 'streams', 'imported', count(*) FROM zerver_stream WHERE realm_id = 2
UNION ALL
SELECT 'direct messages of more than two', 'imported', count(*) FROM talks WHERE cardinality(who) > 2
UNION ALL
SELECT flow, CASE WHEN is_bot AND NOT bots THEN 'skipped: bot' ELSE 'imported' END, count(*)
FROM own, settings, unnest(ARRAY['notes to self', 'oneself']) flow GROUP BY 1, 2
UNION ALL
SELECT 'members', CASE WHEN type = 2 AND NOT active THEN 'skipped: left'
    WHEN user_profile_id NOT IN (SELECT id FROM people) THEN 'skipped: system bot'
    WHEN NOT bots AND user_profile_id IN (SELECT id FROM people WHERE is_bot) THEN 'skipped: bot' ELSE 'imported' END, count(*)
FROM members, settings GROUP BY 2
UNION ALL
SELECT 'messages', outcome, sum(rows)::bigint FROM judged GROUP BY 2
