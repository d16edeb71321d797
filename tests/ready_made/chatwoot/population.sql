-- An installation with two accounts, and some of everything in the first: 60 contacts, 8 agents, 2 bots, 150
-- conversations, 1,800 messages.

INSERT INTO users (id, name, display_name, created_at)
SELECT n, 'Agent ' || n, CASE WHEN n % 3 = 0 THEN 'Called ' || n WHEN n = 4 THEN '' END, '2020-01-01 00:00:00.123'::timestamp + n * interval '1 day' FROM generate_series(1, 12) n;
-- 7 and 8 work there no more, 9-12 work elsewhere.
INSERT INTO account_users (account_id, user_id, role) SELECT CASE WHEN n < 7 THEN 1 ELSE 2 END, n, (n = 1)::int FROM generate_series(1, 12) n WHERE n NOT IN (7, 8);
INSERT INTO agent_bots (id, name, account_id) VALUES (1, 'Helper', 1), (2, '', NULL), (3, 'Other', 2), (4, 'Everywhere', NULL);
INSERT INTO inboxes (id, account_id, name) VALUES (1, 1, 'Website'), (2, 1, 'Mail'), (3, 2, 'Other');
INSERT INTO contacts (id, account_id, name, identifier, created_at, last_activity_at)
SELECT n, CASE WHEN n > 60 THEN 2 ELSE 1 END, CASE WHEN n % 5 = 0 THEN '' WHEN n % 7 = 0 THEN NULL ELSE 'Küste ' || n END, CASE WHEN n % 3 = 0 THEN 'app-user-' || n END,
       '2020-02-01 00:00:00.5'::timestamp + n * interval '1 day', CASE WHEN n % 2 = 0 THEN '2022-01-01 00:00:00'::timestamp + n * interval '1 h' END
FROM generate_series(1, 65) n;
INSERT INTO conversations (id, account_id, inbox_id, status, assignee_id, created_at, contact_id, display_id, cached_label_list)
SELECT n, CASE WHEN n > 150 THEN 2 ELSE 1 END, CASE WHEN n > 150 THEN 3 WHEN n = 11 THEN 99 ELSE 1 + n % 2 END, n % 4, CASE WHEN n % 3 = 0 THEN 1 + n % 9 WHEN n = 10 THEN 99 END,
       '2021-01-01 00:00:00'::timestamp + n * interval '1 h', CASE WHEN n > 150 THEN 61 + n % 5 WHEN n % 41 = 0 THEN 900 + n % 2 ELSE 1 + pg_temp.dice('contact', n, 60) END, n,
       CASE WHEN n % 6 = 0 THEN 'urgent, billing' WHEN n % 6 = 1 THEN '' WHEN n = 20 THEN (SELECT string_agg('label-' || l, ', ') FROM generate_series(1, 40) l) END
FROM generate_series(1, 160) n;
INSERT INTO messages (id, content, account_id, conversation_id, message_type, created_at, private, status, content_type, content_attributes, sender_type, sender_id)
SELECT n, CASE WHEN n % 97 = 0 THEN repeat('A long mail, with ümlauts. ', 250 + n % 100) WHEN kind = 0 THEN NULL WHEN kind = 1 THEN E' \n ' WHEN kind = 2 THEN ''
               ELSE 'Message **' || n || '**' || CASE WHEN n % 7 = 0 THEN ' 🚢' ELSE '' END END,
       CASE WHEN c > 150 AND c <= 160 THEN 2 ELSE 1 END, c, CASE WHEN who < 4 THEN 0 WHEN who = 9 THEN 2 WHEN who = 8 THEN 3 ELSE 1 END,
       '2021-01-03 00:00:00.123456'::timestamp + (n / 3) * interval '1 h', who IN (4, 5) AND n % 3 = 0, CASE WHEN n % 50 = 0 THEN 3 ELSE n % 3 END, CASE WHEN who = 8 THEN 9 ELSE 0 END,
       CASE WHEN n % 29 = 0 THEN '{"deleted": true}'::json WHEN n % 31 = 0 THEN to_json('{"deleted":true}'::text) WHEN n % 8 = 0 THEN to_json('{"in_reply_to":' || n / 2 || '}')
            WHEN n % 9 = 0 THEN ('{"in_reply_to": ' || n / 2 || '}')::json WHEN n % 10 = 0 THEN NULL ELSE '{}' END,
       CASE WHEN n % 83 = 0 THEN NULL WHEN who < 4 THEN 'Contact' WHEN who < 7 THEN 'User' WHEN who = 7 AND n % 4 = 0 THEN 'Captain::Assistant' WHEN who = 7 THEN 'AgentBot' END,
       CASE WHEN n % 83 = 0 AND who > 6 THEN NULL WHEN who < 4 THEN CASE WHEN n % 53 = 0 THEN 902 ELSE (SELECT contact_id FROM conversations WHERE id = c) END
            WHEN who < 7 THEN CASE WHEN n % 47 = 0 THEN 99 ELSE 1 + pg_temp.dice('agent', n, 8) END WHEN who = 7 THEN CASE WHEN n % 4 = 0 THEN 1 ELSE 1 + n % 2 END END
FROM (SELECT n, pg_temp.dice('kind', n, 40) AS kind, pg_temp.dice('who', n, 10) AS who, 1 + pg_temp.dice('conversation', n, 162) AS c FROM generate_series(1, 1800) n) drawn
WHERE c <= 162;
-- Nobody's messages in a conversation that is gone have no contact either.
UPDATE messages SET sender_id = 1 WHERE sender_id IS NULL AND sender_type = 'Contact';

INSERT INTO active_storage_blobs (id, key, filename, content_type, byte_size)
SELECT n, 'key' || n, 'föto ' || n || '.png', CASE WHEN n % 4 > 0 THEN 'image/png' END, n FROM generate_series(1, 200) n;
INSERT INTO attachments (id, file_type, external_url, coordinates_lat, coordinates_long, message_id, fallback_title, extension)
SELECT n, CASE WHEN n % 9 = 0 THEN 4 WHEN n % 11 = 0 THEN 8 WHEN n % 10 = 0 THEN 2 ELSE 0 END, CASE WHEN n % 10 = 0 THEN 'https://social.example.org/video?token=secret' END, 48.1, 11.6,
       CASE WHEN n % 39 = 0 THEN NULL ELSE 1 + pg_temp.dice('of message', n / 2, 1800) END, CASE WHEN n % 11 = 0 THEN 'A card' END, CASE WHEN n % 6 = 0 THEN 'png' END
FROM generate_series(1, 300) n;
INSERT INTO active_storage_attachments (name, record_type, record_id, blob_id)
SELECT 'file', 'Attachment', id, 1 + id % 200 FROM attachments WHERE file_type = 0
UNION ALL SELECT 'avatar', 'Contact', n, n FROM generate_series(1, 20) n;
