-- A server with some of everything: 43 accounts, 25 channels, 2,602 posts.

INSERT INTO teams (id, name, displayname, type) VALUES
    (pg_temp.id('team 1'), 'harbour', 'Harbour', 'O'), (pg_temp.id('team 2'), 'yard', 'Yard', 'I');

INSERT INTO users (id, createat, deleteat, username, email, nickname, firstname, lastname, roles, "position")
SELECT pg_temp.id('user ' || n),
       CASE n WHEN 7 THEN 0 ELSE 1580000000000 + n * 86400123::bigint END,
       CASE WHEN n % 9 = 0 THEN 1650000000000 + n ELSE 0 END,
       CASE n WHEN 3 THEN 'ana.lima' WHEN 4 THEN 'jo_ann-x' ELSE 'user' || n END,
       'user' || n || '@example.org',
       CASE WHEN n % 4 = 0 THEN 'Nick ' || n WHEN n = 6 THEN '   ' ELSE '' END,
       CASE WHEN n % 5 = 0 THEN '' WHEN n = 3 THEN 'Ana ✿' ELSE 'First' || n END,
       CASE WHEN n % 5 = 0 THEN '' ELSE 'Last' || n END,
       CASE n WHEN 1 THEN 'system_user system_admin' WHEN 8 THEN 'system_guest' ELSE 'system_user' END,
       CASE WHEN n % 6 = 0 THEN 'Rigger' ELSE '' END
FROM generate_series(1, 43) n;
INSERT INTO bots (userid) SELECT pg_temp.id('user ' || n) FROM generate_series(41, 43) n;
INSERT INTO status (userid, lastactivityat)
SELECT pg_temp.id('user ' || n), CASE n WHEN 2 THEN 0 ELSE 1660000000000 + n END FROM generate_series(1, 38) n;

-- Open 1-9, private 10-14, group messages 15-17, direct 18-25: 22 with oneself, 23 with a bot, 24 with
-- somebody who is erased, 26 of a bot with itself.
INSERT INTO channels (id, createat, deleteat, teamid, type, displayname, name, header, purpose, creatorid)
SELECT pg_temp.id('channel ' || n),
       CASE n WHEN 5 THEN 0 ELSE 1590000000000 + n * 3600000::bigint END,
       CASE WHEN n IN (2, 12) THEN 1655000000000 ELSE 0 END,
       CASE WHEN n < 10 THEN pg_temp.id('team 1') WHEN n < 15 THEN pg_temp.id('team 2') ELSE '' END,
       (CASE WHEN n < 10 THEN 'O' WHEN n < 15 THEN 'P' WHEN n < 18 THEN 'G' ELSE 'D' END)::channel_type,
       CASE WHEN n = 6 THEN '' WHEN n < 15 THEN 'Channel ' || n WHEN n < 18 THEN 'user1, user2, user' || n ELSE '' END,
       CASE WHEN n < 15 THEN 'channel-' || n
            WHEN n < 18 THEN md5('members ' || n) || 'deadbeef'
            ELSE least(a.id, b.id) || '__' || greatest(a.id, b.id) END,
       CASE n WHEN 1 THEN 'Tides: https://example.org' ELSE '' END, CASE n WHEN 1 THEN 'Everything' ELSE '' END,
       CASE WHEN n IN (3, 18) THEN '' WHEN n = 4 THEN pg_temp.id('erased 1') ELSE pg_temp.id('user ' || (n % 8 + 1)) END
FROM generate_series(1, 24) n,
     LATERAL (SELECT pg_temp.id('user ' || (n - 17)) AS id) a,
     LATERAL (SELECT CASE n WHEN 22 THEN a.id WHEN 23 THEN pg_temp.id('user 41') WHEN 24 THEN pg_temp.id('erased 2')
                            ELSE pg_temp.id('user ' || (n - 5)) END AS id) b;
INSERT INTO channels (id, createat, deleteat, teamid, type, displayname, name, header, purpose, creatorid)
SELECT pg_temp.id('channel 26'), 1590000000000, 0, '', 'D', '', id || '__' || id, '', '', id FROM (SELECT pg_temp.id('user 41') AS id) bot;

INSERT INTO channelmembers (channelid, userid, roles, schemeadmin)
SELECT pg_temp.id('channel ' || c), pg_temp.id('user ' || u),
       CASE WHEN pg_temp.dice('role', c * 100 + u, 20) = 0 THEN 'channel_user channel_admin' ELSE '' END,
       pg_temp.dice('admin', c * 100 + u, 15) = 0
FROM generate_series(1, 17) c, generate_series(1, 43) u
WHERE pg_temp.dice('member', c * 100 + u, CASE WHEN c < 15 THEN 3 ELSE 9 END) = 0;
INSERT INTO channelmembers (channelid, userid, roles, schemeadmin)
SELECT DISTINCT id, split_part(name, '__', side), '', false FROM channels, generate_series(1, 2) side WHERE type = 'D';
INSERT INTO channelmembers (channelid, userid, roles, schemeadmin) VALUES
    (pg_temp.id('channel gone'), pg_temp.id('user 1'), '', false),
    (pg_temp.id('channel 1'), pg_temp.id('erased 1'), '', true);
INSERT INTO channelmemberhistory (channelid, userid, jointime, leavetime)
SELECT channelid, userid, 1585000000000 + time * 20000000000,
       CASE WHEN time = 0 THEN 1586000000000 END
FROM (SELECT *, row_number() OVER (ORDER BY channelid, userid) AS n FROM channelmembers) m, generate_series(0, 1) time
WHERE pg_temp.dice('history', n * 2 + time, 3) > 0;

-- Who writes where: in direct channels the two of them.
INSERT INTO posts (id, createat, deleteat, editat, userid, channelid, rootid, originalid, message, type, props, fileids, ispinned)
SELECT pg_temp.id('post ' || n),
       CASE WHEN n % 433 = 0 THEN 0 ELSE 1600000000000 + (n / 3) * 7300123::bigint END,
       CASE WHEN fate = 0 THEN 1670000000000 + n WHEN fate = 1 THEN 1670000000001 + n ELSE 0 END,
       CASE WHEN fate BETWEEN 2 AND 5 THEN 1600000000000 + (n / 3) * 7300123::bigint + 60000 ELSE 0 END,
       CASE WHEN channel BETWEEN 18 AND 24 AND n % 67 > 0
            THEN (SELECT split_part(name, '__', 1 + pg_temp.dice('side', n, 2)) FROM channels WHERE id = pg_temp.id('channel ' || channel))
            WHEN pg_temp.dice('erased', n, 40) = 0 THEN pg_temp.id('erased ' || (1 + n % 2))
            ELSE pg_temp.id('user ' || (1 + pg_temp.dice('author', n, 43))) END,
       CASE WHEN channel = 25 THEN pg_temp.id('channel gone') ELSE pg_temp.id('channel ' || channel) END,
       CASE WHEN pg_temp.dice('thread', n, 5) = 0 AND n > 30 THEN pg_temp.id('post ' || (n - 1 - pg_temp.dice('root', n, 29))) ELSE '' END,
       CASE WHEN fate = 1 THEN pg_temp.id('post ' || (n + 1)) ELSE '' END,
       CASE WHEN kind = 0 THEN '' WHEN kind = 1 THEN E' \n\t '
            WHEN n % 97 = 0 THEN repeat('A long report, line after line, ünd söme more. ' || chr(10), 180 + n % 40)
            WHEN kind < 8 THEN 'Hello @user' || (n % 45) || ', and @ANA.Lima. Mail me: me@user1.example, @nobody'
            WHEN kind = 8 THEN (SELECT string_agg('@user' || u, ' ') FROM generate_series(1, 2 + n % 20) u)
            ELSE 'Post number ' || n || CASE WHEN n % 7 = 0 THEN ' 🚢 :ship: **bold**' ELSE '' END END,
       CASE WHEN kind IN (10, 11) THEN (ARRAY['system_join_channel', 'system_header_change', 'system_add_to_channel', 'system_unheard_of'])[1 + n % 4]
            WHEN kind = 12 THEN 'me' WHEN kind = 13 THEN 'slack_attachment' WHEN kind = 14 THEN 'custom_calls' ELSE '' END,
       CASE WHEN kind = 13 AND n % 2 = 0 THEN jsonb_build_object('from_webhook', 'true', 'override_username', 'Build Server ' || n % 3,
                'attachments', jsonb_build_array(jsonb_build_object('title', 'Build ' || n, 'text', 'passed'), jsonb_build_object('fallback', 'see there')))
            WHEN kind = 13 THEN jsonb_build_object('from_webhook', 'true', 'attachments', 'none')
            WHEN kind = 15 THEN NULL ELSE '{"disable_group_highlight": true}' END,
       '[]', pg_temp.dice('pin', n, 50) = 0
FROM generate_series(1, 2600) n,
     LATERAL (SELECT 1 + pg_temp.dice('channel', n, 25) AS channel, pg_temp.dice('kind', n, 60) AS kind,
                     pg_temp.dice('fate', n, 60) AS fate) chosen;
INSERT INTO posts (id, createat, deleteat, editat, userid, channelid, rootid, originalid, message, type, props, fileids, ispinned)
SELECT pg_temp.id('of the bot ' || n), 1600000000000 + n, 0, 0, pg_temp.id('user 41'), pg_temp.id('channel 26'), '', '', 'Beep', '', '{}', '[]', false
FROM generate_series(1, 2) n;
-- Somebody who is there in nothing but a line of the system.
UPDATE posts SET userid = pg_temp.id('erased 3') WHERE id = (SELECT min(id) FROM posts WHERE type LIKE 'system%');

INSERT INTO fileinfo (id, postid, createat, deleteat, path, name, extension, size, mimetype)
SELECT pg_temp.id('file ' || n || ' ' || f), CASE WHEN n % 113 = 0 THEN '' ELSE pg_temp.id('post ' || n) END, 1600000000000 + n,
       CASE WHEN pg_temp.dice('removed', n * 10 + f, 12) = 0 THEN 1670000000000 ELSE 0 END,
       '20200913/teams/noteam/channels/c/users/u/' || n || '/' || name, name, ending, 1000 + n, media
FROM generate_series(1, 2600) n, generate_series(1, 4) f,
     LATERAL (SELECT (ARRAY['png', 'pdf', 'mp4', ''])[1 + pg_temp.dice('file', n * 10 + f, 4)] AS ending) e,
     LATERAL (SELECT 'höhe & tide #' || f || CASE ending WHEN '' THEN '' ELSE '.' || ending END AS name,
                     CASE ending WHEN 'png' THEN 'image/png' WHEN 'pdf' THEN 'application/pdf' WHEN 'mp4' THEN 'video/mp4' ELSE '' END AS media) m
WHERE pg_temp.dice('files', n, 12) = 0 AND f <= 1 + pg_temp.dice('how many', n, 4);
-- The order of a post is not that of the ids.
UPDATE posts p SET fileids = files.ids
FROM (SELECT postid, json_agg(id ORDER BY size, name DESC)::text AS ids FROM fileinfo GROUP BY postid) files
WHERE files.postid = p.id AND length(files.ids) < 300;

INSERT INTO reactions (userid, postid, emojiname, createat, deleteat)
SELECT DISTINCT ON (1, 2, 3) pg_temp.id('user ' || (1 + pg_temp.dice('reacts', n * 50 + r, 43))), pg_temp.id('post ' || n),
       (ARRAY['+1', 'ship', 'tada'])[1 + pg_temp.dice('emoji', n * 50 + r, 3)], 1600000000000 + n * 100 + r,
       CASE WHEN pg_temp.dice('taken back', n * 50 + r, 10) = 0 THEN 1670000000000 ELSE 0 END
FROM generate_series(1, 2600) n, generate_series(1, 45) r
WHERE pg_temp.dice('reactions', n, 15) = 0 AND (r <= 3 OR n % 50 = 0)
ORDER BY 1, 2, 3, 4;
-- One post that everybody reacted to in every way.
INSERT INTO reactions (userid, postid, emojiname, createat, deleteat)
SELECT pg_temp.id('user ' || u), pg_temp.id('post 1000'), 'a_custom_emoji_with_a_long_name_' || e, 1, 0
FROM generate_series(1, 43) u, generate_series(1, 30) e ON CONFLICT DO NOTHING;
