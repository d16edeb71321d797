-- A server with some of everything: 25 accounts of localhost, four rooms and one that is gone, people of another
-- server, 900 lines of rooms and 900 between people.

INSERT INTO ofUser (username, name, creationDate, modificationDate)
SELECT 'u' || n || CASE n WHEN 4 THEN '.X' ELSE '' END, CASE WHEN n % 4 = 0 THEN NULL WHEN n % 5 = 0 THEN ' ' ELSE 'Náme ' || n END,
       lpad(CASE n WHEN 7 THEN '0' ELSE (1580000000000 + n * 86400123::bigint)::text END, 15, '0'), lpad((1590000000000 + n)::text, 15, '0')
FROM generate_series(1, 25) n;
INSERT INTO ofUserFlag (username, name, startTime, endTime) VALUES
    ('u2', 'lockout', lpad('1600000000000', 15, '0'), NULL), ('u3', 'lockout', NULL, NULL), ('u5', 'lockout', NULL, lpad('1600000000000', 15, '0'));
INSERT INTO ofPresence (username, offlineDate) SELECT 'u' || n, lpad((1660000000000 + n)::text, 15, '0') FROM generate_series(1, 20) n WHERE n <> 4;
INSERT INTO ofMucService (serviceID, subdomain, isHidden) VALUES (1, 'conference', 0), (2, 'rooms', 0) ON CONFLICT DO NOTHING;
INSERT INTO ofMucRoom (serviceID, roomID, creationDate, name, naturalName, description, publicRoom, membersOnly)
SELECT 1 + n % 2, n, lpad(CASE n WHEN 4 THEN '0' ELSE (1590000000000 + n * 3600123::bigint)::text END, 15, '0'), 'room' || n, CASE n WHEN 3 THEN '' ELSE 'Room ' || n END,
       CASE n WHEN 1 THEN 'Everything' END, (n <> 2)::int, (n = 3)::int
FROM generate_series(1, 4) n;
INSERT INTO ofMucAffiliation (roomID, jid, affiliation) VALUES (1, 'u1@localhost', 10), (1, 'u2@localhost', 20), (1, 'r1@other.net', 40), (2, 'gone1@localhost', 10),
    (2, 'localhost', 20), (3, 'U6@localhost', 10), (9, 'u1@localhost', 10);
INSERT INTO ofMucMember (roomID, jid, nickname) VALUES (1, 'u9@localhost', 'nine'), (1, 'u1@localhost', 'one'), (3, 'r2@other.net', NULL);

-- Room 5 is in the log alone.
INSERT INTO ofMucConversationLog (roomID, messageID, sender, nickname, logTime, subject, body, stanza)
SELECT room, n, CASE WHEN n % 37 = 0 AND room < 5 THEN 'room' || room || '@' || CASE room % 2 WHEN 0 THEN 'conference' ELSE 'rooms' END || '.localhost'
                     WHEN n % 23 = 0 THEN 'r' || 1 + n % 3 || '@other.net/phone' WHEN n % 41 = 0 THEN 'gone1@localhost' ELSE 'U' || 1 + pg_temp.dice('author', n, 25) || '@localhost/x' END,
       'Nick ' || n % 9, lpad(CASE WHEN n % 301 = 0 THEN '0' ELSE (1600000000000 + (n / 3) * 7300123::bigint)::text END, 15, '0'),
       CASE WHEN kind = 0 THEN 'A new subject' END, body, stanza
FROM (SELECT n, pg_temp.dice('kind', n, 40) AS kind, 1 + pg_temp.dice('room', n, 5) AS room FROM generate_series(1, 900) n) drawn,
     LATERAL (SELECT CASE WHEN kind = 0 THEN NULL WHEN kind = 1 THEN '' WHEN kind = 2 THEN E' \n ' WHEN kind = 3 THEN repeat('A long line, with ümlauts. ', 250 + n % 90)
                          WHEN kind IN (4, 5) THEN 'https://up.localhost/' || n || '/a.png?sig=secret' ELSE 'Line ' || n || CASE WHEN n % 7 = 0 THEN ' 🚢' ELSE '' END END AS body) b,
     LATERAL (SELECT CASE WHEN kind = 6 THEN NULL ELSE '<message id="id-' || n || '" type="groupchat">' || coalesce('<body>' || body || '</body>', '')
         || CASE kind WHEN 4 THEN '<x xmlns="jabber:x:oob"><url>' || body || '</url></x>' WHEN 7 THEN '<encrypted xmlns="eu.siacs.conversations.axolotl"/>'
                      WHEN 8 THEN '<replace id="id-' || n / 2 || '" xmlns="urn:xmpp:message-correct:0"/>' ELSE '' END || '</message>' END AS stanza) s;
INSERT INTO ofMessageArchive (messageID, conversationID, fromJID, toJID, sentDate, stanza, body, isPMforJID)
SELECT CASE WHEN n % 50 = 0 THEN NULL ELSE n END, n % 30,
       CASE WHEN n % 71 = 0 THEN 'localhost' WHEN n % 79 = 0 THEN 'room1@rooms.localhost' WHEN n % 29 = 0 THEN 'r' || 1 + n % 3 || '@other.net' ELSE author END,
       CASE WHEN n % 13 = 0 THEN 'room1@rooms.localhost' WHEN n % 59 = 0 THEN 'gone2@localhost' WHEN n % 43 = 0 THEN author ELSE 'u' || 1 + pg_temp.dice('addressee', n, 9) || '@localhost' END,
       1600000000000 + (n / 3) * 7300123::bigint, stanza, body, CASE WHEN n % 39 = 0 THEN 'u1@localhost' END
FROM (SELECT n, pg_temp.dice('kind of letter', n, 40) AS kind, 'u' || 1 + pg_temp.dice('letter of', n, 25) || '@localhost' AS author FROM generate_series(1, 900) n) drawn,
     LATERAL (SELECT CASE WHEN kind = 0 THEN NULL WHEN kind = 2 THEN E' \n ' WHEN kind = 3 THEN repeat('A long line, with ümlauts. ', 250 + n % 90)
                          WHEN kind = 4 THEN 'https://up.localhost/' || n || '/a.png?sig=secret' ELSE 'Letter ' || n END AS body) b,
     LATERAL (SELECT CASE WHEN kind = 6 THEN NULL ELSE '<message id="letter-' || n || '" type="chat">' || coalesce('<body>' || body || '</body>', '')
         || CASE kind WHEN 4 THEN '<x xmlns="jabber:x:oob"><url>' || body || '</url></x>' WHEN 7 THEN '<encrypted xmlns="eu.siacs.conversations.axolotl"/>' ELSE '' END || '</message>' END AS stanza) s;
