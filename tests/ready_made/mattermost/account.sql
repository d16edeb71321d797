-- What a first run must come to: flow, outcome, rows.
WITH settings AS (
    SELECT coalesce(nullif(current_setting('test.bots', true), ''), 'true') = 'true' AS bots,
           coalesce(nullif(current_setting('test.deleted', true), ''), 'skip') AS deleted
), people AS (
    SELECT id, id IN (SELECT userid FROM bots) AS bot FROM users
), twos AS (
    SELECT id, string_to_array(name, '__') AS ids FROM channels
    WHERE type = 'D' AND name <> split_part(name, '__', 1) || '__' || split_part(name, '__', 1)
), hooks AS (
    SELECT id, nullif(trim(props ->> 'override_username'), '') AS name FROM posts WHERE props @> '{"from_webhook": "true"}'
), texts AS (
    -- How long a text is once mentions are written out tells how many pieces it has; the long ones of
    -- this population mention nobody.
    SELECT p.id, p.message ~ '\S' OR EXISTS (
               SELECT FROM jsonb_path_query(p.props, '$.attachments[*]') a
               WHERE concat(a ->> 'pretext', a ->> 'title', a ->> 'text', a ->> 'fallback') <> '') AS says,
           CASE WHEN octet_length(btrim(p.message, E' \t\r\n')) > 6000
                THEN ceil(length(btrim(p.message, E' \t\r\n')) / 1500.0)::int ELSE 1 END AS pieces,
           (SELECT count(*) FROM fileinfo f WHERE f.postid = p.id AND f.deleteat = 0)::int AS files
    FROM posts p
), judged AS (
    SELECT CASE WHEN pieces > 1 THEN pieces + files ELSE greatest(files, 1) END AS rows,
           CASE
               WHEN p.originalid <> '' THEN 'skipped: earlier version'
               WHEN starts_with(p.type, 'system_') THEN 'skipped: system message'
               WHEN p.deleteat > 0 AND settings.deleted = 'skip' THEN 'skipped: deleted'
               WHEN p.channelid NOT IN (SELECT id FROM channels) THEN 'skipped: channel is gone'
               WHEN NOT bots AND (p.id IN (SELECT id FROM hooks)
                    OR p.userid IN (SELECT id FROM people WHERE bot)
                    OR EXISTS (SELECT FROM twos, people WHERE twos.id = p.channelid AND people.bot
                               AND people.id = CASE p.userid WHEN ids[1] THEN ids[2] ELSE ids[1] END))
                   THEN 'skipped: bot'
               WHEN EXISTS (SELECT FROM twos WHERE twos.id = p.channelid AND p.userid <> ALL (ids))
                   THEN 'skipped: author is not of the conversation'
               WHEN p.createat = 0 THEN 'skipped: time is unknown'
               WHEN files = 0 AND NOT says THEN 'skipped: nothing to show'
               ELSE 'imported'
           END AS outcome
    FROM settings, posts p JOIN texts USING (id)
)
SELECT 'users' AS flow, CASE WHEN bot AND NOT bots THEN 'skipped: bot' ELSE 'imported' END AS outcome, count(*)
FROM people, settings GROUP BY 2
UNION ALL
SELECT 'erased accounts', 'imported', count(DISTINCT id)
FROM (SELECT userid AS id FROM posts WHERE originalid = '' AND type NOT LIKE 'system%'
      UNION SELECT unnest(ids) FROM twos) shown
WHERE id NOT IN (SELECT id FROM users)
UNION ALL
SELECT 'webhooks', CASE WHEN bots THEN 'imported' ELSE 'skipped: bot' END, count(DISTINCT hooks.name)
FROM settings, hooks JOIN posts USING (id) JOIN channels c ON c.id = posts.channelid AND c.type <> 'D' GROUP BY 2
UNION ALL
SELECT 'groups', CASE WHEN id IN (SELECT id FROM twos) THEN 'skipped: conversation of two'
    WHEN NOT bots AND type = 'D' AND name LIKE ANY (SELECT id || '\_\_%' FROM people WHERE bot) THEN 'skipped: bot' ELSE 'imported' END, count(*)
FROM channels, settings GROUP BY 2
UNION ALL
SELECT 'members',
       CASE WHEN channelid NOT IN (SELECT id FROM channels) THEN 'skipped: channel is gone'
            WHEN channelid IN (SELECT id FROM twos) THEN 'skipped: conversation of two'
            WHEN userid NOT IN (SELECT id FROM users) THEN 'skipped: account is gone'
            WHEN NOT bots AND userid IN (SELECT id FROM people WHERE bot) THEN 'skipped: bot'
            ELSE 'imported' END, count(*)
FROM channelmembers, settings GROUP BY 2
UNION ALL
SELECT 'messages', outcome, sum(rows)::bigint FROM judged GROUP BY 2
