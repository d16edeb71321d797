-- What a first run must come to: flow, outcome, rows.
WITH settings AS (
    SELECT coalesce(nullif(current_setting('test.bots', true), ''), 'true') = 'true' AS bots,
           coalesce(nullif(current_setting('test.deleted', true), ''), 'skip') AS deleted
), talks AS (
    SELECT h.id, h."group" AS crowd, array_agg(user_id) AS who FROM direct_message_channels h
    JOIN direct_message_users u ON direct_message_channel_id = h.id GROUP BY 1, 2
), twos AS (
    SELECT c.id, who FROM chat_channels c JOIN talks ON talks.id = chatable_id AND chatable_type = 'DirectMessage'
    WHERE cardinality(who) = 2 AND NOT crowd
), absent AS (
    SELECT user_id AS id FROM chat_messages UNION SELECT user_id FROM direct_message_users EXCEPT SELECT id FROM users
), heard AS (
    SELECT m.*, who, (SELECT count(*) FROM upload_references WHERE target_type = 'ChatMessage' AND target_id = m.id)::int AS files,
           m.id IN (SELECT chat_message_id FROM chat_webhook_events) AS by_webhook,
           coalesce(user_id, (SELECT min(w) FROM unnest(who) w WHERE w NOT IN (SELECT id FROM users))) AS author
    FROM chat_messages m LEFT JOIN twos ON twos.id = chat_channel_id
), judged AS (
    SELECT CASE
        WHEN chat_channel_id NOT IN (SELECT id FROM chat_channels WHERE deleted_at IS NULL) THEN 'skipped: channel is gone'
        WHEN deleted_at IS NOT NULL AND deleted = 'skip' THEN 'skipped: deleted'
        WHEN NOT bots AND (by_webhook OR user_id < 0 OR 0 > ANY (who)) THEN 'skipped: bot'
        WHEN who IS NOT NULL AND author IS NULL THEN 'skipped: account is gone'
        WHEN author <> ALL (who) THEN 'skipped: author is not of the conversation'
        WHEN files = 0 AND coalesce(message, '') !~ '\S' THEN 'skipped: nothing to show'
        ELSE 'imported' END AS outcome,
        CASE WHEN length(message) > 5900 THEN ceil(length(btrim(message)) / 1500.0)::int + files ELSE greatest(files, 1) END AS rows
    FROM heard, settings
), members AS (
    SELECT user_id, chat_channel_id, following FROM user_chat_channel_memberships
    WHERE chat_channel_id NOT IN (SELECT id FROM chat_channels WHERE chatable_type = 'DirectMessage')
    UNION ALL
    SELECT user_id, c.id, true FROM direct_message_users JOIN chat_channels c ON chatable_type = 'DirectMessage' AND chatable_id = direct_message_channel_id
)
SELECT 'users' AS flow, CASE WHEN id < 0 AND NOT bots THEN 'skipped: bot' ELSE 'imported' END AS outcome, count(*) FROM users, settings GROUP BY 2
UNION ALL
SELECT 'users who are gone', 'imported', count(*) FROM absent WHERE id IS NOT NULL
UNION ALL
SELECT 'users without a name', 'imported', 1
UNION ALL
SELECT 'webhooks', CASE WHEN bots THEN 'imported' ELSE 'skipped: bot' END, count(*) FROM incoming_chat_webhooks, settings GROUP BY 2
UNION ALL
SELECT 'groups', CASE WHEN deleted_at IS NOT NULL THEN 'skipped: deleted' WHEN id IN (SELECT id FROM twos) THEN 'skipped: conversation of two'
    ELSE 'imported' END, count(*) FROM chat_channels GROUP BY 2
UNION ALL
SELECT 'members', CASE
    WHEN chat_channel_id IN (SELECT id FROM chat_channels WHERE deleted_at IS NOT NULL) THEN 'skipped: channel is gone'
    WHEN chat_channel_id IN (SELECT id FROM twos) THEN 'skipped: conversation of two'
    WHEN user_id NOT IN (SELECT id FROM users UNION SELECT id FROM absent WHERE id IS NOT NULL) THEN 'skipped: account is gone'
    WHEN user_id < 0 AND NOT bots THEN 'skipped: bot'
    WHEN NOT following THEN 'skipped: left' ELSE 'imported' END, count(*)
FROM members, settings GROUP BY 2
UNION ALL
SELECT 'messages', outcome, sum(rows)::bigint FROM judged GROUP BY 2
