-- What a first run must come to: flow, outcome, rows.
WITH settings AS (
    SELECT coalesce(nullif(current_setting('test.rooms', true), ''), 'log') AS rooms
), person AS (
    SELECT lower(username) || '@localhost' AS jid FROM ofUser
), room AS (
    SELECT roomID AS id, name || '@' || subdomain || '.localhost' AS jid FROM ofMucRoom JOIN ofMucService USING (serviceID)
), heard AS (
    SELECT 'log' AS place, roomID AS room, lower(split_part(sender, '/', 1)) AS author, NULL AS addressee, body, stanza, logTime::bigint AS at, false AS whispered
    FROM ofMucConversationLog
    UNION ALL
    SELECT 'archive', (SELECT id FROM room WHERE jid = toJID), fromJID, toJID, body, stanza, sentDate, isPMforJID <> '' OR fromJID IN (SELECT jid FROM room)
    FROM ofMessageArchive
), judged AS (
    SELECT CASE
        WHEN whispered THEN 'skipped: private message in a room'
        WHEN room IS NOT NULL AND place <> rooms THEN 'skipped: written down elsewhere'
        WHEN strpos(author, '@') = 0 OR author IN (SELECT jid FROM room) THEN 'skipped: system message'
        WHEN stanza LIKE '%axolotl%' THEN 'skipped: encrypted'
        WHEN coalesce(body, '') = '' THEN 'skipped: no text'
        WHEN at = 0 THEN 'skipped: time is unknown'
        WHEN body !~ '\S' THEN 'skipped: blank'
        ELSE 'imported' END AS outcome,
        CASE WHEN length(body) > 5900 THEN ceil(length(btrim(body)) / 1500.0)::int ELSE 1 END AS rows
    FROM heard, settings
), wrote AS (
    SELECT DISTINCT room, author AS jid FROM heard, settings
    WHERE room IS NOT NULL AND place = rooms AND NOT coalesce(whispered, false) AND author LIKE '%@%' AND author NOT IN (SELECT jid FROM room)
), groups AS (
    SELECT id FROM room UNION SELECT room FROM heard, settings WHERE room IS NOT NULL AND place = rooms
), members AS (
    SELECT roomID AS room, lower(jid) AS jid FROM ofMucAffiliation UNION SELECT roomID, lower(jid) FROM ofMucMember UNION SELECT * FROM wrote
), shown AS (
    SELECT author AS jid FROM heard UNION SELECT addressee FROM heard UNION SELECT jid FROM members
), notes AS (
    SELECT DISTINCT author FROM heard WHERE author = addressee AND author LIKE '%@%' AND body <> '' AND whispered IS NOT TRUE AND room IS NULL
)
SELECT 'users' AS flow, 'imported' AS outcome, count(*) FROM person
UNION ALL
SELECT 'others', 'imported', count(*) FROM shown
WHERE jid LIKE '%@%' AND jid NOT IN (SELECT jid FROM person) AND jid NOT IN (SELECT jid FROM room)
UNION ALL
SELECT 'groups', 'imported', count(*) FROM groups
UNION ALL
SELECT flow, 'imported', count(*) FROM notes, unnest(ARRAY['notes to self', 'oneself']) flow GROUP BY 1
UNION ALL
SELECT 'members', CASE WHEN strpos(jid, '@') = 0 THEN 'skipped: not a person' WHEN room NOT IN (SELECT id FROM groups) THEN 'skipped: room is gone'
    ELSE 'imported' END, count(*) FROM members GROUP BY 2
UNION ALL
SELECT 'messages', outcome, sum(rows)::bigint FROM judged GROUP BY 2
