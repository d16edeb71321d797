-- Singular names, UUIDs, times as ISO text with an offset, flags as 0 and 1.
CREATE TABLE user (id TEXT PRIMARY KEY, username TEXT NOT NULL, display_name TEXT, avatar_url TEXT,
    created_at TEXT NOT NULL, deactivated INTEGER NOT NULL DEFAULT 0);
CREATE TABLE room (id TEXT PRIMARY KEY, name TEXT, is_private INTEGER NOT NULL DEFAULT 0, created_by TEXT,
    created_at TEXT NOT NULL);
CREATE TABLE room_member (room_id TEXT, user_id TEXT, role TEXT, joined_at TEXT, PRIMARY KEY (room_id, user_id));
CREATE TABLE message (id TEXT PRIMARY KEY, room_id TEXT NOT NULL, user_id TEXT, body TEXT, sent_at TEXT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0);
INSERT INTO user VALUES
    ('6f1c3a52-0000-4000-8000-000000000001', 'ada', 'Ada Lovelace', 'https://img.example.org/ada.png', '2024-01-01T08:00:00Z', 0),
    ('6f1c3a52-0000-4000-8000-000000000002', 'bob', NULL, NULL, '2024-01-02T08:00:00Z', 0),
    ('6f1c3a52-0000-4000-8000-000000000003', 'eve', 'Eve', NULL, '2024-01-03T08:00:00Z', 1);
INSERT INTO room VALUES
    ('a0000000-0000-4000-8000-00000000000a', 'General', 0, '6f1c3a52-0000-4000-8000-000000000001', '2024-01-04T08:00:00Z'),
    ('a0000000-0000-4000-8000-00000000000b', 'Back office', 1, '6f1c3a52-0000-4000-8000-000000000002', '2024-01-05T08:00:00Z'),
    ('a0000000-0000-4000-8000-00000000000c', NULL, 1, NULL, '2024-01-06T08:00:00Z');
INSERT INTO room_member SELECT 'a0000000-0000-4000-8000-00000000000a', id, CASE username WHEN 'ada' THEN 'owner' ELSE 'member' END,
    '2024-01-07T08:00:00Z' FROM user;
INSERT INTO room_member SELECT 'a0000000-0000-4000-8000-00000000000b', id, 'member', '2024-01-07T08:00:00Z' FROM user;
-- A room without a name of two people is between them.
INSERT INTO room_member SELECT 'a0000000-0000-4000-8000-00000000000c', id, 'member', '2024-01-07T08:00:00Z'
    FROM user WHERE username <> 'eve';
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90)
INSERT INTO message SELECT printf('b0000000-0000-4000-8000-%012d', i),
    'a0000000-0000-4000-8000-00000000000' || substr('abc', 1 + i % 3, 1),
    '6f1c3a52-0000-4000-8000-00000000000' || (1 + i % 2),
    'Message number ' || i, strftime('%Y-%m-%dT%H:%M:%S+02:00', 1705000000 + 60 * i, 'unixepoch'), i % 10 = 0 FROM n;
