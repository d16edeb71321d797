-- A server with two organisations and its own, and some of everything in the first of them: 40 accounts, 12
-- streams, direct messages of both shapes and of any number, 2,200 messages.

INSERT INTO zerver_realm (id, string_id, name) VALUES (1, 'zulipinternal', 'System'), (2, '', 'Harbour'), (3, 'other', 'Other');
-- 1-3 are the server's own bots, 4-43 people, of which 40-43 are bots; 44-46 belong to the other organisation.
INSERT INTO zerver_userprofile (id, realm_id, full_name, date_joined, last_login, is_active, is_bot, is_mirror_dummy, role, timezone)
SELECT n, CASE WHEN n < 4 THEN 1 WHEN n < 44 THEN 2 ELSE 3 END,
       CASE WHEN n IN (8, 9) THEN 'Same Name' WHEN n = 10 THEN 'Ána (Öl) *' ELSE 'Person ' || n END,
       '2020-01-01 00:00:00.123456+00'::timestamptz + n * interval '1 day', CASE WHEN n % 4 > 0 THEN '2022-01-01 00:00:00+00'::timestamptz + n * interval '1 h' END,
       n % 9 > 0 AND n <> 13, n < 4 OR n BETWEEN 40 AND 43, n = 13, (ARRAY[400, 400, 400, 100, 200, 300, 600])[1 + n % 7], CASE WHEN n % 3 = 0 THEN 'Europe/Berlin' ELSE '' END
FROM generate_series(1, 46) n;
INSERT INTO zerver_realmauditlog (event_type, event_time, modified_user_id)
SELECT 103, '2023-01-01 00:00:00+00'::timestamptz + n * interval '1 h', n FROM generate_series(1, 46) n WHERE n % 18 = 0;
INSERT INTO zerver_recipient (id, type, type_id) SELECT n, 1, n FROM generate_series(1, 46) n;

-- 3 and 11 are deactivated, 7-10 private, 13 belongs to the other organisation.
INSERT INTO zerver_stream (id, realm_id, name, description, invite_only, deactivated, date_created)
SELECT n, CASE n WHEN 13 THEN 3 ELSE 2 END, 'Stream ' || n, CASE n WHEN 1 THEN 'Everything' ELSE '' END, n BETWEEN 7 AND 10, n IN (3, 11),
       '2020-02-01 00:00:00+00'::timestamptz + n * interval '1 h'
FROM generate_series(1, 13) n;
INSERT INTO zerver_recipient (id, type, type_id) SELECT 100 + n, 2, n FROM generate_series(1, 13) n;
-- Direct messages of one (1), of two (2-4, one of them a bot), of more (5-9), with a system bot (10), of the other organisation (11).
INSERT INTO zerver_recipient (id, type, type_id) SELECT 200 + n, 3, n FROM generate_series(1, 11) n;
INSERT INTO zerver_subscription (user_profile_id, recipient_id, active)
SELECT u, 100 + s, pg_temp.dice('active', s * 100 + u, 6) > 0 FROM generate_series(1, 12) s, generate_series(4, 43) u
WHERE pg_temp.dice('subscribed', s * 100 + u, 3) = 0
UNION ALL SELECT u, 113, true FROM generate_series(44, 46) u
UNION ALL SELECT 1, 101, true
UNION ALL SELECT u, 200 + d, true FROM (VALUES (1, 4), (2, 5), (2, 6), (3, 7), (3, 41), (4, 4), (4, 5), (5, 4), (5, 5), (5, 6), (6, 7), (6, 8), (6, 9), (6, 10),
    (7, 4), (7, 5), (7, 42), (8, 11), (8, 12), (8, 13), (9, 9), (9, 18), (9, 27), (10, 4), (10, 2), (11, 44), (11, 45)) AS d (d, u);
INSERT INTO zerver_realmauditlog (event_type, event_time, modified_user_id, modified_stream_id)
SELECT 301, '2019-06-01 00:00:00+00'::timestamptz + id * interval '3 days', user_profile_id, recipient_id - 100
FROM zerver_subscription WHERE recipient_id BETWEEN 101 AND 113 AND id % 3 > 0;

INSERT INTO zerver_message (id, realm_id, sender_id, recipient_id, subject, content, date_sent, last_edit_time)
SELECT n, CASE WHEN recipient IN (113, 211) THEN 3 ELSE 2 END, sender, recipient, CASE WHEN recipient BETWEEN 101 AND 113 THEN 'Topic ' || n % 9 ELSE chr(7) END,
       CASE WHEN n % 97 = 0 THEN repeat('A long message, with ümlauts. ', 230 + n % 100)
            WHEN kind = 0 THEN E' \n ' WHEN kind = 1 THEN '[föto.png](/user_uploads/2/ab/föto.png)'
            WHEN kind = 2 THEN 'See ![a.png](/user_uploads/2/cd/a.png) and [b](/user_uploads/2/ef/b.pdf), @**Person 5**'
            WHEN kind = 3 THEN 'Hi @**Person 6**, @**Same Name**, @**Same Name|9**, @**nobody**, @_**Ána (Öl) ***, @**Person 7|7**!'
            WHEN kind = 4 THEN (SELECT string_agg('@**Person ' || u || '**', ' ') FROM generate_series(14, 16 + n % 20) u)
            WHEN kind = 5 THEN '/poll Which? ' || n
            ELSE 'Message **' || n || '**' || CASE WHEN n % 7 = 0 THEN ' :ship: 🚢' ELSE '' END END,
       '2021-01-01 00:00:00.123456+00'::timestamptz + (n / 3) * interval '1 h', CASE WHEN n % 15 = 0 THEN '2021-06-01 00:00:00+00'::timestamptz + n * interval '1 min' END
FROM (
    SELECT n, kind, CASE WHEN where_ < 14 THEN 100 + where_ WHEN where_ < 25 THEN 200 + where_ - 13
                         WHEN where_ = 25 THEN 2 ELSE 4 + pg_temp.dice('to', n, 40) END AS recipient,
           CASE WHEN n % 41 = 0 THEN 1 + n % 3
                WHEN where_ BETWEEN 14 AND 24 THEN (SELECT user_profile_id FROM zerver_subscription WHERE recipient_id = 200 + where_ - 13 ORDER BY md5(user_profile_id || 'x' || n) LIMIT 1)
                WHEN where_ = 13 THEN 44 WHEN where_ = 27 THEN 4 + pg_temp.dice('to', n, 40) ELSE 4 + pg_temp.dice('sender', n, 40) END AS sender
    FROM (SELECT n, pg_temp.dice('kind', n, 40) AS kind, 1 + pg_temp.dice('where', n, 30) AS where_ FROM generate_series(1, 2200) n) drawn
) chosen;
INSERT INTO zerver_attachment (id, file_name, path_id, size)
SELECT id, CASE WHEN id % 2 = 0 THEN 'föto ' || id || '.png' ELSE 'report.pdf' END, '2/ab/' || id || '/föto ' || id, id FROM zerver_message WHERE id % 12 = 0 OR content LIKE '%user_uploads%';
INSERT INTO zerver_attachment_messages (attachment_id, message_id)
SELECT a.id, m FROM zerver_attachment a, LATERAL (SELECT a.id UNION SELECT greatest(1, a.id - n) FROM generate_series(1, 2) n WHERE a.id % 3 = 0) l (m) WHERE a.id % 5 > 0 ORDER BY 1, 2;
INSERT INTO zerver_reaction (user_profile_id, message_id, emoji_name)
SELECT 4 + pg_temp.dice('reacts', n * 50 + r, 43), n, (ARRAY['ship', 'tada', '+1'])[1 + pg_temp.dice('emoji', n * 50 + r, 3)]
FROM generate_series(1, 2200) n, generate_series(1, 70) r WHERE pg_temp.dice('reactions', n, 15) = 0 AND (r <= 3 OR n % 40 = 0);
