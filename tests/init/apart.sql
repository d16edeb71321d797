-- Messages of rooms in one table, those between two in another; times in seconds.
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE room_users (room_id INTEGER, user_id INTEGER, PRIMARY KEY (room_id, user_id));
CREATE TABLE messages (id INTEGER PRIMARY KEY, room_id INTEGER, user_id INTEGER, content TEXT, ts INTEGER);
CREATE TABLE direct_messages (id INTEGER PRIMARY KEY, sender_id INTEGER, recipient_id INTEGER, content TEXT, ts INTEGER);
CREATE TABLE sessions (id INTEGER PRIMARY KEY, user_id INTEGER, token TEXT, created INTEGER);
INSERT INTO users VALUES (1, 'Ada', 'ada@example.org'), (2, 'Bob', 'bob@example.org'), (3, 'Eve', NULL);
INSERT INTO rooms VALUES (1, 'Lobby'), (2, 'Garden');
INSERT INTO room_users SELECT rooms.id, users.id FROM rooms, users;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
INSERT INTO messages SELECT i, 1 + i % 2, 1 + i % 3, 'In a room ' || i, 1700000000 + i FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30)
INSERT INTO direct_messages SELECT i, 1 + i % 3, 1 + (i + 1) % 3, 'For you ' || i, 1700000100 + i FROM n;
INSERT INTO sessions VALUES (1, 1, 'secret', 1700000000);
