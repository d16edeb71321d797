-- What a first run must come to: flow, outcome, rows. Counted by what was said, and not by the archives.
WITH kept AS (
    SELECT DISTINCT username || '@localhost' AS jid FROM users WHERE username <> 'u7'
), heard AS (
    SELECT s.*, coalesce(room, addressee) AS place, substring(content FROM '<body>([^<]*)</body>') AS body,
           CASE WHEN room IS NOT NULL AND n % 61 = 0 THEN room || '/Shadow ' || n % 3 ELSE author END AS known_as,
           CASE WHEN room IS NOT NULL THEN at::text ELSE stanza END AS id,
           CASE WHEN room IS NOT NULL THEN 1
                ELSE (SELECT count(*) FROM kept WHERE jid IN (author, addressee)) END AS copies
    FROM truth.said s
), judged AS (
    SELECT copies, CASE WHEN kind = 7 THEN ceil(length(btrim(body)) / 1500.0)::int ELSE 1 END AS pieces,
           CASE WHEN room IS NULL AND n % 401 = 0 AND n < 2000 THEN 'skipped: cannot be read'
                WHEN room IS NULL AND n % 83 = 0 THEN 'skipped: error'
                WHEN kind = 2 THEN 'skipped: encrypted'
                WHEN kind = 102 THEN 'skipped: reaction'
                WHEN kind = 101 THEN 'skipped: retraction'
                WHEN kind = 100 AND EXISTS (SELECT FROM heard o WHERE o.known_as = h.known_as AND o.place = h.place
                     AND o.kind <> 100 AND h.content LIKE '%<replace id=''' || o.stanza || '''%') THEN 'skipped: correction'
                WHEN EXISTS (SELECT FROM heard r WHERE r.kind = 101 AND r.known_as = h.known_as AND r.place = h.place
                     AND r.content LIKE '%<retract id=''' || h.id || '''%') THEN 'skipped: retracted'
                WHEN kind IN (0, 1) THEN 'skipped: no text'
                WHEN kind = 6 THEN 'skipped: blank'
                ELSE 'imported' END AS outcome
    FROM heard h WHERE copies > 0
), copied AS (
    SELECT outcome, pieces * CASE outcome WHEN 'skipped: cannot be read' THEN copies ELSE 1 END AS rows FROM judged
    UNION ALL
    SELECT 'skipped: second copy', pieces * (copies - 1) FROM judged WHERE outcome <> 'skipped: cannot be read'
    UNION ALL
    -- The one that was said in private.
    SELECT 'skipped: private message in a room', 1
), rooms AS (
    SELECT name || '@' || host AS jid FROM muc_room UNION SELECT room FROM truth.said WHERE room IS NOT NULL
), standing AS (
    VALUES ('harbour@conference.localhost', 'u1@localhost'), ('harbour@conference.localhost', 'u2@localhost'),
           ('harbour@conference.localhost', 'u9@localhost'), ('harbour@conference.localhost', 'r1@other.net'),
           ('yard@conference.localhost', 'u3@localhost'), ('yard@conference.localhost', 'gone1@localhost'),
           ('yard@conference.localhost', 'r2@other.net')
    UNION SELECT room, known_as FROM heard WHERE room IS NOT NULL
), notes AS (
    SELECT DISTINCT author FROM heard WHERE room IS NULL AND author = addressee AND copies > 0 AND body <> ''
)
SELECT 'users' AS flow, 'imported' AS outcome, count(DISTINCT username) FROM users
UNION ALL
SELECT 'others', 'imported', count(*) FROM (
    SELECT column2 AS jid FROM standing
    UNION SELECT addressee FROM heard WHERE room IS NULL AND author IN (SELECT jid FROM kept)
    UNION SELECT author FROM heard WHERE room IS NULL AND addressee IN (SELECT jid FROM kept)) shown
WHERE jid NOT IN (SELECT username || '@localhost' FROM users)
UNION ALL
SELECT 'groups', 'imported', count(*) FROM rooms
UNION ALL
SELECT 'notes to self', 'imported', count(*) FROM notes
UNION ALL
SELECT 'members', 'imported', count(*) FROM standing
UNION ALL
SELECT 'oneself', 'imported', count(*) FROM notes
UNION ALL
SELECT 'messages', outcome, sum(rows)::bigint FROM copied GROUP BY 2
