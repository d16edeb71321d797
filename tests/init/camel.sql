-- Plural names in camel case, whole numbers as keys, times in milliseconds, a type of channel, replies.
CREATE TABLE Users (userId INTEGER PRIMARY KEY, displayName TEXT, avatarUrl TEXT, createdAt INTEGER, lastSeenAt INTEGER,
    isBot INTEGER NOT NULL DEFAULT 0);
CREATE TABLE Channels (channelId INTEGER PRIMARY KEY, title TEXT, type TEXT NOT NULL, ownerId INTEGER, createdAt INTEGER);
CREATE TABLE ChannelMembers (channelId INTEGER, userId INTEGER, isAdmin INTEGER NOT NULL DEFAULT 0, joinedAt INTEGER,
    PRIMARY KEY (channelId, userId));
CREATE TABLE Messages (messageId INTEGER PRIMARY KEY, channelId INTEGER, senderId INTEGER, text TEXT, createdAt INTEGER,
    editedAt INTEGER, isDeleted INTEGER NOT NULL DEFAULT 0, replyTo INTEGER, imageUrl TEXT);
INSERT INTO Users VALUES (1, 'Ada', '/img/ada.png', 1700000000000, 1701000000000, 0),
    (2, 'Bob', NULL, 1700000001000, NULL, 0), (3, 'Robot', NULL, 1700000002000, NULL, 1);
INSERT INTO Channels VALUES (10, 'General', 'public', 1, 1700000100000), (11, NULL, 'direct', NULL, 1700000100000),
    (12, 'Staff', 'private', 2, 1700000100000);
INSERT INTO ChannelMembers SELECT channelId, userId, userId = 1, 1700000200000 FROM Channels, Users
    WHERE type <> 'direct' OR userId < 3;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO Messages SELECT i, 10 + i % 3, 1 + i % 2, CASE WHEN i % 20 THEN 'Line ' || i ELSE '' END, 1700000300000 + i * 1000,
    CASE WHEN i % 9 = 0 THEN 1700009000000 END, i % 11 = 0, CASE WHEN i % 7 = 0 THEN i - 3 END,
    CASE WHEN i % 20 = 0 THEN '/img/' || i || '.png' END FROM n;
