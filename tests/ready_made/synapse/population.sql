-- A homeserver with some of everything: 30 accounts, 6 people of other servers, 22 rooms, some 2,600 events.

INSERT INTO users (name, creation_ts, admin, is_guest, appservice_id, user_type, deactivated)
SELECT '@u' || n || ':example.org', CASE n WHEN 7 THEN NULL ELSE 1580000000 + n * 86400 END, (n = 1)::int, (n = 27)::int,
       CASE n WHEN 28 THEN 'irc' END, CASE WHEN n > 28 THEN 'bot' END, (n % 9 = 0)::int
FROM generate_series(1, 30) n;
INSERT INTO profiles (user_id, displayname, avatar_url)
SELECT 'u' || n, CASE WHEN n % 5 > 0 THEN 'Üser ' || n END, CASE WHEN n % 3 = 0 THEN 'mxc://example.org/face' || n END
FROM generate_series(1, 29) n;

-- Public 1-6, private 7-12, direct 13-20 (14 of three, 15 with a bot, 16 with somebody of another server,
-- 17 with oneself, 18 with somebody who has left, 13 and 19 of the same two), a space 21, an encrypted one 22.
CREATE TEMP TABLE room AS SELECT n, '!room' || n || ':example.org' AS id FROM generate_series(1, 22) n;
INSERT INTO rooms (room_id, creator, room_version)
SELECT id, '@u' || (1 + n % 8) || ':example.org', CASE WHEN n % 5 = 0 THEN '12' ELSE '10' END FROM room;
INSERT INTO room_stats_state (room_id, name, canonical_alias, join_rules, encryption, topic, room_type)
SELECT id, CASE WHEN n IN (3, 4) OR n > 12 THEN NULL ELSE 'Room ' || n END, CASE n WHEN 3 THEN '#three:example.org' END,
       CASE WHEN n < 7 THEN 'public' ELSE 'invite' END, CASE n WHEN 22 THEN 'm.megolm.v1.aes-sha2' END,
       CASE n WHEN 1 THEN 'Everything' END, CASE n WHEN 21 THEN 'm.space' END
FROM room WHERE n <> 12;

CREATE TEMP TABLE happening (
    n bigserial, id text, room text, sender text, type text, state_key text, content jsonb, ts bigint,
    outlier boolean DEFAULT false, rejected text
);
INSERT INTO happening (id, room, sender, type, state_key, content, ts)
SELECT '$create' || n, id, '@u' || (1 + n % 8) || ':example.org', 'm.room.create', '', '{}', CASE n WHEN 5 THEN 0 ELSE 1590000000000 + n * 3600123::bigint END FROM room;
INSERT INTO happening (id, room, sender, type, state_key, content, ts)
SELECT '$power' || n, id, '@u' || (1 + n % 8) || ':example.org', 'm.room.power_levels', '',
       jsonb_build_object('users_default', 0, 'users', jsonb_build_object(
           '@u' || (1 + n % 8) || ':example.org', 100, '@u' || (1 + n % 6) || ':example.org', 50, '@r1:other.net', '50', '@u29:example.org', 100)),
       1590000000001 + n * 3600123::bigint
FROM room WHERE n % 5 > 0;

-- Who is where: invited, there, gone, banned, and called otherwise than before.
CREATE TEMP TABLE being AS
SELECT r.n AS room, '@u' || u || ':example.org' AS who FROM room r, generate_series(1, 30) u
WHERE r.n NOT BETWEEN 13 AND 20 AND (u = 1 + r.n % 8 OR pg_temp.dice('is there', r.n * 100 + u, 3) = 0)
UNION SELECT r.n, '@r' || u || ':other.net' FROM room r, generate_series(1, 6) u
WHERE r.n < 13 AND pg_temp.dice('is remote', r.n * 100 + u, 4) = 0
UNION SELECT v.room, v.who FROM (VALUES
    (13, '@u1:example.org'), (13, '@u2:example.org'), (14, '@u3:example.org'), (14, '@u4:example.org'), (14, '@u5:example.org'),
    (15, '@u6:example.org'), (15, '@u30:example.org'), (16, '@u7:example.org'), (16, '@r2:other.net'), (17, '@u8:example.org'),
    (18, '@u10:example.org'), (18, '@u11:example.org'), (19, '@u2:example.org'), (19, '@u1:example.org'),
    (20, '@u12:example.org'), (20, '@u13:example.org')) AS v (room, who);
INSERT INTO happening (id, room, sender, type, state_key, content, ts)
SELECT '$member' || room || who || step, '!room' || room || ':example.org', who, 'm.room.member', who,
       jsonb_build_object('membership', membership, 'displayname', CASE WHEN pg_temp.dice('name', n * 3 + step, 4) > 0 THEN 'Name ' || step || ' of ' || who END),
       1590100000000 + n * 100000::bigint + step * 50000000
FROM (SELECT *, row_number() OVER (ORDER BY room, who) AS n FROM being) b, generate_series(1, 3) step,
     LATERAL (SELECT CASE WHEN step = 1 AND room NOT BETWEEN 13 AND 20 THEN (ARRAY['invite', 'join', 'join', 'knock'])[1 + pg_temp.dice('first', n, 4)]
                          WHEN step = 1 THEN 'join'
                          WHEN room = 18 AND step = 3 AND who LIKE '@u11:%' THEN 'leave'
                          WHEN room BETWEEN 13 AND 20 OR who LIKE '@u' || (1 + room % 8) || ':%' THEN 'join'
                          WHEN step = 2 THEN (ARRAY['join', 'join', 'join', 'leave'])[1 + pg_temp.dice('second', n, 4)]
                          ELSE (ARRAY['join', 'join', 'leave', 'ban'])[1 + pg_temp.dice('third', n, 4)] END AS membership) m
WHERE room BETWEEN 13 AND 20 OR step = 1 OR pg_temp.dice('goes on', n, 3) > 0
ORDER BY step, n;

CREATE TEMP TABLE line AS
SELECT n, '$Event/' || n || '+x' AS id,
       CASE room WHEN 23 THEN '!gone:example.org' ELSE '!room' || room || ':example.org' END AS room,
       coalesce(CASE WHEN n % 211 = 0 THEN '@ghost:gone.net' END,
           CASE WHEN n % 101 > 0 THEN (SELECT who FROM being b WHERE b.room = chosen.room ORDER BY md5(who || n) LIMIT 1) END,
           '@u' || (1 + n % 26) || ':example.org') AS sender,
       pg_temp.dice('kind', n, 40) AS kind, 1600000000000 + (n / 3) * 7300123::bigint AS ts
FROM generate_series(1, 2000) n, LATERAL (SELECT 1 + pg_temp.dice('room', n, 23) AS room) chosen;
INSERT INTO happening (id, room, sender, type, content, ts, outlier, rejected)
SELECT id, room, sender,
       CASE WHEN room = '!room22:example.org' AND n % 3 > 0 THEN 'm.room.encrypted' WHEN kind = 0 THEN 'm.sticker'
            WHEN kind = 1 THEN 'm.poll.start' ELSE 'm.room.message' END,
       CASE WHEN kind IN (0, 2, 3) THEN jsonb_build_object(
                'msgtype', (ARRAY['m.image', 'm.file', 'm.video'])[1 + n % 3], 'body', CASE WHEN n % 2 = 0 THEN 'föto ' || n || '.png' ELSE 'Look at this' END,
                'url', CASE WHEN n % 7 = 0 THEN 'https://elsewhere.example' ELSE 'mxc://example.org/media' || n END,
                'info', jsonb_build_object('mimetype', 'image/png', 'size', CASE WHEN n % 5 = 0 THEN to_jsonb('big'::text) ELSE to_jsonb(n) END))
                || CASE WHEN n % 2 = 1 THEN jsonb_build_object('filename', 'föto ' || n || '.png') ELSE '{}' END
            WHEN kind = 4 THEN '{"msgtype": "m.text", "body": " \n "}'
            WHEN kind = 5 THEN '{"msgtype": "m.text"}'
            WHEN kind = 6 THEN jsonb_build_object('msgtype', 'm.location', 'body', 'The pier', 'geo_uri', 'geo:48.1,11.6')
            WHEN kind IN (7, 8) THEN jsonb_build_object('msgtype', 'm.text', 'body', E'> <@u1:example.org> what\n> is it\n\nA reply ' || n,
                'm.relates_to', jsonb_build_object('m.in_reply_to', jsonb_build_object('event_id', '$Event/' || (n / 2) || '+x')))
            WHEN kind = 9 THEN jsonb_build_object('msgtype', 'm.text', 'body', 'In a thread ' || n, 'm.mentions', '{"user_ids": ["@u1:example.org"]}'::jsonb,
                'm.relates_to', jsonb_build_object('rel_type', 'm.thread', 'event_id', '$Event/' || (n / 2) || '+x'))
            WHEN kind = 10 THEN jsonb_build_object('msgtype', 'm.emote', 'body', 'waves')
            WHEN kind = 11 AND n % 2 = 0 THEN jsonb_build_object('msgtype', 'm.notice', 'body', repeat('A long notice, with ümlauts. ' || chr(10), 220 + n % 90))
            ELSE jsonb_build_object('msgtype', 'm.text', 'body', 'Event number ' || n || CASE WHEN n % 7 = 0 THEN ' 🚢' ELSE '' END) END,
       CASE WHEN n % 307 = 0 THEN 0 WHEN n % 311 = 0 THEN 4000000000000 ELSE ts END,
       n % 89 = 0, CASE WHEN n % 97 = 0 THEN 'auth_error' END
FROM line;

-- Edits: by the author, by somebody else, one that was taken back, and one of another.
INSERT INTO happening (id, room, sender, type, content, ts)
SELECT '$edit' || n || '.' || e, room, CASE WHEN e = 2 AND n % 2 = 0 THEN '@u1:example.org' ELSE sender END, 'm.room.message',
       jsonb_build_object('msgtype', 'm.text', 'body', '* Event number ' || n, 'm.new_content', jsonb_build_object('msgtype', 'm.text', 'body', 'Edit ' || e || ' of number ' || n),
           'm.relates_to', jsonb_build_object('rel_type', 'm.replace', 'event_id', id)), ts + e * 1000
FROM line, generate_series(1, 3) e WHERE kind > 11 AND pg_temp.dice('edits', n, 12) = 0 AND e <= 1 + n % 3;
INSERT INTO happening (id, room, sender, type, content, ts)
SELECT '$reaction' || n || '.' || r, room, '@u' || (1 + pg_temp.dice('reacts', n * 50 + r, 30)) || ':example.org', 'm.reaction',
       jsonb_build_object('m.relates_to', jsonb_build_object('rel_type', 'm.annotation', 'event_id', id, 'key', (ARRAY['👍', '🚢'])[1 + r % 2])), ts + r
FROM line, generate_series(1, 80) r WHERE pg_temp.dice('reactions', n, 15) = 0 AND (r <= 2 OR n % 400 = 0);
INSERT INTO happening (id, room, sender, type, content, ts)
SELECT '$redaction' || row_number() OVER (ORDER BY id), room, sender, 'm.room.redaction', jsonb_build_object('redacts', id), ts + 5000
FROM happening h WHERE pg_temp.dice('redacted ' || id, 1, 25) = 0 AND type IN ('m.room.message', 'm.reaction', 'm.sticker');

INSERT INTO events (topological_ordering, event_id, type, room_id, processed, outlier, depth, origin_server_ts, received_ts, sender, stream_ordering, state_key, rejection_reason)
SELECT n, id, type, room, true, outlier, n, ts, CASE WHEN n % 601 = 0 OR id IN ('$Event/307+x', '$Event/614+x', '$Event/921+x', '$Event/1228+x') THEN NULL ELSE CASE WHEN ts BETWEEN 1 AND 3000000000000 THEN ts ELSE 1650000000000 + n END + 150 END,
       sender, n, state_key, rejected FROM happening;
INSERT INTO redactions (event_id, redacts) SELECT id, content ->> 'redacts' FROM happening WHERE type = 'm.room.redaction';
INSERT INTO event_json (event_id, room_id, internal_metadata, json)
SELECT id, room, '{}', CASE WHEN n % 149 = 0 AND type = 'm.room.message' THEN replace(json::text, 'number', 'num\u0000ber') ELSE json::text END
FROM happening, LATERAL (SELECT jsonb_build_object('type', type, 'sender', sender, 'content',
    CASE WHEN id IN (SELECT redacts FROM redactions) THEN '{}' ELSE content END)) e (json);
INSERT INTO event_relations (event_id, relates_to_id, relation_type, aggregation_key)
SELECT id, content #>> '{m.relates_to,event_id}', content #>> '{m.relates_to,rel_type}', content #>> '{m.relates_to,key}'
FROM happening WHERE content #>> '{m.relates_to,rel_type}' IS NOT NULL;
INSERT INTO room_memberships (event_id, user_id, sender, room_id, membership, display_name, avatar_url)
SELECT id, state_key, sender, room, content ->> 'membership', content ->> 'displayname', CASE WHEN n % 4 = 0 THEN 'mxc://other.net/face' || n END
FROM happening WHERE type = 'm.room.member';
INSERT INTO current_state_events (event_id, room_id, type, state_key, membership)
SELECT DISTINCT ON (room, type, state_key) id, room, type, state_key, content ->> 'membership' FROM happening
WHERE state_key IS NOT NULL ORDER BY room, type, state_key, n DESC;
INSERT INTO account_data (user_id, account_data_type, stream_id, content) VALUES
    ('@u1:example.org', 'm.direct', 1, '{"@u2:example.org": ["!room13:example.org", "!room19:example.org"], "@nobody:example.org": []}'),
    ('@u2:example.org', 'm.direct', 2, '{"@u1:example.org": ["!room13:example.org"]}'),
    ('@u3:example.org', 'm.direct', 3, '{"@u4:example.org": ["!room14:example.org"], "odd": "not a list"}'),
    ('@u6:example.org', 'm.direct', 4, '{"@u30:example.org": ["!room15:example.org"]}'),
    ('@u7:example.org', 'm.direct', 5, '{"@r2:other.net": ["!room16:example.org", "!unheard:of.net"]}'),
    ('@u8:example.org', 'm.direct', 6, '{"@u8:example.org": ["!room17:example.org"]}'),
    ('@u10:example.org', 'm.direct', 7, '{"@u11:example.org": ["!room18:example.org"]}'),
    ('@u1:example.org', 'm.push_rules', 8, '{"@u1:example.org": ["!room1:example.org"]}');
