-- A forum's chat with some of everything: 35 users, 22 channels, 2,000 messages.

INSERT INTO users (id, username, username_lower, name, created_at, last_seen_at, active, admin, moderator, staged, suspended_at, suspended_till)
SELECT n, CASE n WHEN -1 THEN 'system' WHEN -2 THEN 'discobot' ELSE 'User.' || n END, CASE n WHEN -1 THEN 'system' WHEN -2 THEN 'discobot' ELSE 'user.' || n END,
       CASE WHEN n % 4 = 0 THEN '' WHEN n % 5 = 0 THEN NULL ELSE 'Náme ' || n END, '2020-01-01 00:00:00.123456'::timestamp + n * interval '1 day',
       CASE WHEN n % 6 > 0 THEN '2022-01-01 00:00:00'::timestamp + n * interval '1 h' END, n % 9 > 0, n = 1, n = 2, n = 12,
       CASE WHEN n IN (10, 11) THEN '2021-05-05 00:00:00'::timestamp END, CASE n WHEN 10 THEN '2222-01-01 00:00:00'::timestamp WHEN 11 THEN '2021-06-01 00:00:00'::timestamp END
FROM generate_series(-2, 33) n WHERE n <> 0;
INSERT INTO categories (id, name, read_restricted) VALUES (1, 'General', false), (2, 'Staff', true), (3, 'Yard', false);
-- Channels of categories 1-10: 3 is archived, 4 deleted, 10 of a category that is gone. Direct ones 11-22: 11-15 of two (14 with somebody
-- who is gone, 15 with discobot), 16 of two but made for more, 17 of oneself, 18-21 of more, 22 deleted.
INSERT INTO chat_channels (id, chatable_id, chatable_type, name, slug, description, status, created_at, deleted_at)
SELECT n, CASE WHEN n = 10 THEN 99 WHEN n < 10 THEN 1 + n % 3 ELSE n END, CASE WHEN n < 11 THEN 'Category' ELSE 'DirectMessage' END,
       CASE WHEN n IN (5, 10) THEN NULL WHEN n < 11 THEN 'Channel ' || n WHEN n = 19 THEN 'A name of its own' END, CASE n WHEN 10 THEN 'lost' END,
       CASE n WHEN 1 THEN 'Everything' END, CASE n WHEN 3 THEN 3 WHEN 6 THEN 2 ELSE 0 END, '2020-02-01 00:00:00'::timestamp + n * interval '1 h',
       CASE WHEN n IN (4, 22) THEN '2023-01-01 00:00:00'::timestamp END
FROM generate_series(1, 22) n;
INSERT INTO direct_message_channels (id, "group") SELECT n, n IN (16, 18, 19, 20, 21) FROM generate_series(11, 22) n;
INSERT INTO direct_message_users (direct_message_channel_id, user_id, created_at)
SELECT c, u, '2020-01-20 00:00:00'::timestamp + c * interval '1 day' FROM (VALUES (11, 1), (11, 2), (12, 3), (12, 4), (13, 1), (13, 5), (14, 6), (14, 901), (15, 7), (15, -2), (16, 8), (16, 9),
    (17, 10), (18, 1), (18, 2), (18, 3), (19, 4), (19, 5), (19, 902), (20, 6), (20, 7), (20, -2), (21, 11), (21, 12), (21, 13), (22, 1), (22, 14)) AS v (c, u);
INSERT INTO user_chat_channel_memberships (user_id, chat_channel_id, following, created_at)
SELECT u, c, pg_temp.dice('following', c * 100 + u, 5) > 0, '2020-01-25 00:00:00'::timestamp + (u * c) * interval '5 h'
FROM generate_series(1, 12) c, generate_series(-1, 33) u WHERE u <> 0 AND pg_temp.dice('member', c * 100 + u, 3) = 0
UNION ALL VALUES (903, 1, true, '2020-03-01 00:00:00'::timestamp);
INSERT INTO incoming_chat_webhooks (id, name, username) VALUES (1, 'Builds', 'build-bot'), (2, 'Alarms', NULL);

INSERT INTO chat_messages (id, chat_channel_id, user_id, created_at, deleted_at, in_reply_to_id, message, thread_id)
SELECT n, CASE WHEN channel = 23 THEN 99 ELSE channel END,
       CASE WHEN n % 37 = 0 THEN NULL WHEN n % 101 = 0 THEN 33 WHEN webhook THEN -1
            WHEN channel BETWEEN 11 AND 22 THEN (SELECT user_id FROM direct_message_users WHERE direct_message_channel_id = channel ORDER BY md5(user_id || 'x' || n) LIMIT 1)
            WHEN n % 43 = 0 THEN 904 WHEN n % 47 = 0 THEN -1 ELSE 1 + pg_temp.dice('author', n, 33) END,
       '2021-01-01 00:00:00.123456'::timestamp + (n / 3) * interval '1 h', CASE WHEN n % 31 = 0 THEN '2022-01-01 00:00:00'::timestamp END,
       CASE WHEN n % 8 = 0 THEN n / 2 END,
       CASE WHEN n % 97 = 0 THEN repeat('A long message, with ümlauts. ', 230 + n % 100)
            WHEN kind = 0 THEN '' WHEN kind = 1 THEN NULL WHEN kind = 2 THEN E' \n '
            WHEN kind = 3 THEN 'Hi @user.5, @USER.6. and @nobody; mail a@user.5, @here'
            WHEN kind = 4 THEN (SELECT string_agg('@user.' || u, ' ') FROM generate_series(14, 16 + n % 18) u)
            ELSE 'Message **' || n || '**' || CASE WHEN n % 7 = 0 THEN ' :ship: 🚢' ELSE '' END END,
       CASE WHEN n % 9 = 0 THEN 1 + n % 20 END
FROM (SELECT n, pg_temp.dice('kind', n, 30) AS kind, 1 + pg_temp.dice('channel', n, 23) AS channel, pg_temp.dice('webhook', n, 40) = 0 AS webhook FROM generate_series(1, 2000) n) drawn;
INSERT INTO chat_webhook_events (chat_message_id, incoming_chat_webhook_id)
SELECT id, 1 + id % 2 FROM chat_messages WHERE pg_temp.dice('webhook', id, 40) = 0;
INSERT INTO chat_threads (id, channel_id, original_message_id, title) SELECT n, 1, n * 9, CASE WHEN n % 2 = 0 THEN 'Thread ' || n END FROM generate_series(1, 15) n;
INSERT INTO chat_message_revisions (chat_message_id, created_at)
SELECT n, '2021-07-01 00:00:00'::timestamp + n * interval '1 min' + r * interval '1 s' FROM generate_series(1, 2000, 11) n, generate_series(1, 2) r;
INSERT INTO uploads (id, url, original_filename, filesize)
SELECT n, CASE n % 3 WHEN 0 THEN '//bucket.example.org/original/' || n || '.png?sig=secret' WHEN 1 THEN 'https://cdn.example.org/' || n || '.png' ELSE '/uploads/default/original/1X/' || n || '.pdf' END,
       CASE n % 3 WHEN 2 THEN 'report.pdf' ELSE 'föto ' || n || '.png' END, n FROM generate_series(1, 300) n;
INSERT INTO upload_references (upload_id, target_type, target_id)
SELECT 1 + pg_temp.dice('upload', n * 5 + u, 300), CASE WHEN n % 10 = 0 THEN 'Post' ELSE 'ChatMessage' END, n
FROM generate_series(1, 2000) n, generate_series(1, 3) u WHERE pg_temp.dice('uploads', n, 10) = 0 AND u <= 1 + n % 3;
INSERT INTO chat_message_reactions (chat_message_id, user_id, emoji)
SELECT n, 1 + pg_temp.dice('reacts', n * 50 + r, 33), (ARRAY['ship', 'tada', '+1'])[1 + pg_temp.dice('emoji', n * 50 + r, 3)]
FROM generate_series(1, 2000) n, generate_series(1, 70) r WHERE pg_temp.dice('reactions', n, 15) = 0 AND (r <= 3 OR n % 40 = 0);
