-- A server with some of everything: 25 accounts of localhost, three rooms that are kept and one that is
-- gone, people of another server, and the archives of all of them.
--
-- What is true of the population stays in a schema of its own, to count by.

CREATE SCHEMA truth;
CREATE TABLE truth.person AS SELECT n, 'u' || n || CASE WHEN n = 4 THEN '.x' ELSE '' END AS name FROM generate_series(1, 25) n;
INSERT INTO users (username, type, created_at)
SELECT name, 1, '2020-01-01 00:00:00'::timestamp + n * interval '1 day 7 min' FROM truth.person
UNION ALL SELECT name, 3, '2021-01-01 00:00:00' FROM truth.person WHERE n % 5 = 0;
INSERT INTO vcard_search (lusername, fn, nickname)
SELECT name, CASE WHEN n % 3 = 0 THEN '' ELSE 'Full Name ' || n END, CASE WHEN n % 4 = 0 THEN 'Nick ' || n ELSE '' END FROM truth.person WHERE n % 5 > 0;
INSERT INTO last (username, seconds)
SELECT name, CASE n WHEN 2 THEN '0' WHEN 3 THEN '' ELSE (1660000000 + n)::text END FROM truth.person WHERE n < 20;

INSERT INTO muc_room (name, host, opts, created_at) VALUES
    ('harbour', 'conference.localhost', E'[{title,<<"The \\"old\\" harbour">>},\n {description,<<"Ships">>},{public,true},{members_only,false},\n {affiliations,[{{<<"u1">>,<<"localhost">>,<<>>},{owner,<<>>}},\n  {{<<"u2">>,<<"localhost">>,<<>>},{admin,<<"for long">>}},{{<<"r1">>,<<"other.net">>,\n   <<>>},outcast}]}].', '2020-05-01 10:00:00'),
    ('yard', 'conference.localhost', '[{title,<<>>},{public,true},{members_only,true},{affiliations,[{{<<"u3">>,<<"localhost">>,<<>>},{member,<<>>}},{{<<"gone1">>,<<"localhost">>,<<>>},{owner,<<>>}}]}].', '2020-05-02 10:00:00'),
    ('quay', 'conference.localhost', '[{title,<<195,188>>},{public,false}].', '2021-05-02 10:00:00');
INSERT INTO muc_room_subscribers (room, host, jid, nick, nodes) VALUES
    ('harbour', 'conference.localhost', 'u1@localhost/phone', 'one', '[]'), ('harbour', 'conference.localhost', 'u9@localhost', 'nine', '[]'),
    ('yard', 'conference.localhost', 'r2@other.net', 'Two', '[]');

-- What is said: by whom, to whom, as what (100 a correction, 101 a retraction, 102 a reaction).
CREATE TABLE truth.said AS
SELECT n, author, addressee, kind, room, 1600000000000000 + (n / 3) * 7300123456::bigint + n AS at,
       CASE WHEN n % 11 = 0 THEN NULL WHEN n % 13 = 0 THEN '7' ELSE 'id-' || n END AS stanza,
       CASE WHEN kind = 0 THEN '<composing xmlns=''http://jabber.org/protocol/chatstates''/>'
            WHEN kind = 1 THEN '<received xmlns=''urn:xmpp:receipts'' id=''x''/>'
            WHEN kind = 2 THEN '<body>I sent you an OMEMO encrypted message</body><encrypted xmlns=''eu.siacs.conversations.axolotl''><header/></encrypted>'
            WHEN kind IN (3, 4) THEN '<body>https://up.localhost/' || n || '/f%C3%B6to.png?sig=secret</body><x xmlns=''jabber:x:oob''><url>https://up.localhost/' || n || '/f%C3%B6to.png?sig=secret</url></x>'
            WHEN kind = 5 THEN '<body>Look at this</body><x xmlns=''jabber:x:oob''><url>https://up.localhost/' || n || '/report.pdf</url></x>'
            WHEN kind = 6 THEN '<body> ' || chr(10) || ' </body>'
            WHEN kind = 7 THEN '<body>' || repeat('A long line, with ümlauts. ', 240 + n % 90) || '</body>'
            WHEN kind IN (8, 9) THEN '<body>ok</body>'
            ELSE '<body>Number ' || n || ' is 1 &lt; 2 &amp; 3' || CASE WHEN n % 7 = 0 THEN ' 🚢' ELSE '' END || '</body>' END AS content
FROM (
    SELECT n, pg_temp.dice('kind', n, 60) AS kind,
           CASE pg_temp.dice('room', n, 6) WHEN 0 THEN 'harbour@conference.localhost' WHEN 1 THEN 'yard@conference.localhost'
                WHEN 2 THEN CASE WHEN n % 3 = 0 THEN 'sunk@conference.localhost' END END AS room,
           CASE WHEN n % 29 = 0 THEN 'r' || (1 + n % 3) || '@other.net' WHEN n % 53 = 0 THEN 'gone1@localhost'
                ELSE (SELECT name FROM truth.person WHERE person.n = 1 + pg_temp.dice('author', chosen.n, 25)) || '@localhost' END AS author,
           CASE WHEN n % 29 = 0 THEN 'u1@localhost'
                WHEN n % 31 = 0 THEN 'r' || (1 + n % 4) || '@other.net' WHEN n % 59 = 0 THEN 'gone2@localhost'
                WHEN n % 43 = 0 THEN (SELECT name FROM truth.person WHERE person.n = 1 + pg_temp.dice('author', chosen.n, 25)) || '@localhost'
                ELSE (SELECT name FROM truth.person WHERE person.n = 1 + pg_temp.dice('addressee', chosen.n, 9)) || '@localhost' END AS addressee
    FROM generate_series(1, 1500) chosen (n)
) drawn;
-- Corrections, of what is there and of what is not; retractions; reactions, the later in the place of the earlier.
INSERT INTO truth.said
SELECT 2000 + n * 10 + step, author, addressee, 100, room, at + step * 1000000, 'fix-' || n || '-' || step,
       '<body>Correction ' || step || ' of ' || n || '</body><replace id=''' || CASE WHEN n % 5 = 0 THEN 'unheard-of' ELSE stanza END || ''' xmlns=''urn:xmpp:message-correct:0''/>'
FROM truth.said, generate_series(1, 2) step WHERE kind > 9 AND n < 2000 AND n % 17 = 0 AND stanza LIKE 'id-%' AND step <= 1 + n % 2;
INSERT INTO truth.said
SELECT 20000 + n, author, addressee, 101, room, at + 5000000, 'back-' || n,
       '<body>This person attempted to retract a previous message</body><retract id=''' || CASE WHEN room IS NULL THEN stanza ELSE at::text END || ''' xmlns=''urn:xmpp:message-retract:1''/>'
FROM truth.said WHERE kind > 9 AND n < 2000 AND n % 47 = 0 AND stanza LIKE 'id-%';
INSERT INTO truth.said
SELECT 30000 + n * 10 + step, addressee, author, 102, room, at + step * 7000000, 'mood-' || n || '-' || step,
       '<reactions id=''' || CASE WHEN room IS NULL THEN stanza ELSE at::text END || ''' xmlns=''urn:xmpp:reactions:0''>'
       || CASE WHEN step = 1 THEN '<reaction>👎</reaction>' WHEN n % 3 > 0 THEN '<reaction>👍</reaction><reaction>🚢</reaction>' ELSE '' END || '</reactions>'
FROM truth.said, generate_series(1, 2) step WHERE kind > 9 AND n < 2000 AND n % 19 = 0 AND stanza LIKE 'id-%';

-- Into the archives: of the room, or of both people, who learn of it one after the other. Some keep none.
CREATE TABLE truth.stanza AS
SELECT said.*, '<message xml:lang=''en'' to=''' || coalesce(room, addressee || '/x') || ''' from=''' || author || '/phone'' type='''
       || CASE WHEN room IS NOT NULL THEN 'groupchat' WHEN n % 83 = 0 THEN 'error' ELSE 'chat' END || ''''
       || coalesce(' id=''' || stanza || '''', '') || '>' || content || '</message>' AS xml,
       replace(replace(substring(content FROM '<body>([^<]*)</body>'), '&lt;', '<'), '&amp;', '&') AS body
FROM truth.said;
INSERT INTO archive (username, timestamp, peer, bare_peer, xml, txt, kind, nick, origin_id)
SELECT room, at, CASE WHEN n % 61 = 0 THEN room || '/Shadow ' || n % 3 ELSE author || '/phone' END,
       CASE WHEN n % 61 = 0 THEN room ELSE author END, xml, coalesce(body, ''), 'groupchat',
       CASE WHEN n % 61 = 0 THEN 'Shadow ' || n % 3 ELSE 'Nick of ' || split_part(author, '@', 1) END, ''
FROM truth.stanza WHERE room IS NOT NULL ORDER BY at;
INSERT INTO archive (username, timestamp, peer, bare_peer, xml, txt, kind, nick, origin_id)
SELECT split_part(owner, '@', 1), at + side * 137, peer || '/x', peer,
       CASE WHEN n % 401 = 0 AND n < 2000 THEN E'\\x83h\\x01' ELSE xml END,
       CASE WHEN n % 23 = 0 THEN NULL ELSE coalesce(body, '') END, CASE WHEN n % 71 = 0 THEN NULL ELSE 'chat' END, '',
       CASE WHEN n % 2 = 0 THEN '' ELSE coalesce(stanza, '') END
FROM truth.stanza, LATERAL (VALUES (0, author, addressee), (1, addressee, author)) AS sides (side, owner, peer)
WHERE room IS NULL AND owner LIKE '%@localhost' AND owner NOT IN ('u7@localhost', 'gone1@localhost', 'gone2@localhost') AND (side = 0 OR author <> addressee)
ORDER BY at, side;
-- In private, from one occupant of a room to another.
INSERT INTO archive (username, timestamp, peer, bare_peer, xml, txt, kind, nick, origin_id) VALUES
    ('u1', 1610000000000000, 'harbour@conference.localhost/one', 'harbour@conference.localhost',
     '<message to=''u1@localhost/phone'' from=''harbour@conference.localhost/one'' type=''chat'' id=''psst''><body>Between us</body></message>', 'Between us', 'chat', '', '');
