-- What a first run must come to: flow, outcome, rows. The account is the first.
WITH settings AS (
    SELECT coalesce(nullif(current_setting('test.bots', true), ''), 'true') = 'true' AS bots,
           coalesce(nullif(current_setting('test.notes', true), ''), 'skip') = 'agents' AS notes
), talks AS (
    SELECT * FROM conversations WHERE account_id = 1
), mails AS (
    SELECT m.id, conversation_id, message_type, private, content, sender_id, author AS sender_type, author NOT IN ('Contact', 'User') AS by_bot, sender_id IS NULL AS by_nobody,
           content_attributes::text ~ 'deleted' AS gone,
           (SELECT count(*) FROM attachments a WHERE a.message_id = m.id)::int AS files
    FROM messages m, LATERAL (SELECT coalesce(sender_type, CASE WHEN sender_id IS NULL THEN NULL
                                                                WHEN message_type = 0 THEN 'Contact' ELSE 'User' END) AS author) a
    WHERE account_id = 1
), people AS (
    SELECT 'Contact' AS kind, id FROM contacts WHERE account_id = 1
    UNION SELECT 'User', u.id FROM users u WHERE id IN (SELECT user_id FROM account_users WHERE account_id = 1
        UNION SELECT sender_id FROM mails WHERE sender_type = 'User' UNION SELECT assignee_id FROM talks)
), bot AS (
    SELECT id FROM agent_bots WHERE account_id = 1 OR id IN (SELECT sender_id FROM mails WHERE sender_type = 'AgentBot')
), absent AS (
    SELECT sender_type AS kind, sender_id AS id FROM mails WHERE sender_id IS NOT NULL AND sender_type <> 'AgentBot'
    UNION SELECT 'Contact', contact_id FROM talks
    EXCEPT SELECT * FROM people
), present AS (
    SELECT conversation_id AS room, sender_type AS kind, sender_id AS id, bool_or(NOT private AND message_type <> 2) AS spoke, bool_or(private) AS noted
    FROM mails WHERE sender_id IS NOT NULL AND conversation_id IN (SELECT id FROM talks) GROUP BY 1, 2, 3
), members AS (
    SELECT room, kind, id FROM present WHERE spoke
    UNION SELECT id, 'Contact', contact_id FROM talks
    UNION SELECT id, 'User', assignee_id FROM talks WHERE assignee_id IN (SELECT id FROM users)
), backrooms AS (
    SELECT DISTINCT conversation_id AS room FROM mails WHERE private AND conversation_id IN (SELECT id FROM talks)
), insiders AS (
    SELECT room, kind, id FROM present WHERE noted
    UNION SELECT id, 'User', assignee_id FROM talks WHERE assignee_id IN (SELECT id FROM users) AND id IN (SELECT room FROM backrooms)
), judged AS (
    SELECT CASE
        WHEN conversation_id NOT IN (SELECT id FROM talks) THEN 'skipped: conversation is gone'
        WHEN message_type = 2 THEN 'skipped: activity'
        WHEN gone THEN 'skipped: deleted'
        WHEN private AND NOT notes THEN 'skipped: note'
        WHEN NOT bots AND (by_bot OR by_nobody) THEN 'skipped: bot'
        WHEN files = 0 AND coalesce(content, '') !~ '\S' THEN 'skipped: nothing to show'
        ELSE 'imported' END AS outcome,
        CASE WHEN length(content) > 5900 THEN ceil(length(btrim(content)) / 1500.0)::int + files ELSE greatest(files, 1) END AS rows
    FROM mails, settings
)
SELECT 'contacts' AS flow, 'imported' AS outcome, count(*) FROM people WHERE kind = 'Contact'
UNION ALL
SELECT 'agents', 'imported', count(*) FROM people WHERE kind = 'User'
UNION ALL
SELECT 'bots', CASE WHEN bots THEN 'imported' ELSE 'skipped: bot' END, count(*) FROM bot, settings GROUP BY 2
UNION ALL
SELECT 'automation', CASE WHEN bots THEN 'imported' ELSE 'skipped: bot' END, 1 FROM settings
UNION ALL
SELECT 'gone', CASE WHEN bots OR kind IN ('Contact', 'User') THEN 'imported' ELSE 'skipped: bot' END, count(*) FROM absent, settings GROUP BY 2
UNION ALL
SELECT 'conversations', 'imported', count(*) FROM talks
UNION ALL
SELECT 'notes', CASE WHEN notes THEN 'imported' ELSE 'skipped: note' END, count(*) FROM backrooms, settings GROUP BY 2
UNION ALL
SELECT 'members', CASE WHEN NOT bots AND kind NOT IN ('Contact', 'User') THEN 'skipped: bot' ELSE 'imported' END, count(*) FROM members, settings GROUP BY 2
UNION ALL
SELECT 'members of notes', CASE WHEN notes THEN 'imported' ELSE 'skipped: note' END, count(*) FROM insiders, settings GROUP BY 2
UNION ALL
SELECT 'messages', outcome, sum(rows)::bigint FROM judged GROUP BY 2
