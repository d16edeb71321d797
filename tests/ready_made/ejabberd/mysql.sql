-- A few rows, in the tables as they are on MySQL.
CREATE TABLE users (username varchar(191) NOT NULL, type smallint NOT NULL, created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (username, type));
CREATE TABLE last (username varchar(191) PRIMARY KEY, seconds text NOT NULL);
CREATE TABLE vcard_search (lusername varchar(191) PRIMARY KEY, fn text NOT NULL, nickname text NOT NULL);
CREATE TABLE archive (
    username varchar(191) NOT NULL, timestamp bigint unsigned NOT NULL, peer varchar(191) NOT NULL, bare_peer varchar(191) NOT NULL,
    xml mediumtext NOT NULL, txt mediumtext, id bigint unsigned NOT NULL AUTO_INCREMENT UNIQUE, kind varchar(10), nick varchar(191),
    origin_id varchar(191) NOT NULL DEFAULT ''
) CHARACTER SET utf8mb4;
CREATE TABLE muc_room (name text NOT NULL, host text NOT NULL, opts mediumtext NOT NULL, created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE muc_room_subscribers (room varchar(191) NOT NULL, host varchar(191) NOT NULL, jid varchar(191) NOT NULL, nick text NOT NULL, nodes text NOT NULL, UNIQUE (host, room, jid));
INSERT INTO users (username, type, created_at) VALUES ('ana', 1, '2020-01-01 00:00:00'), ('bo', 1, '2020-01-02 00:00:00');
INSERT INTO last VALUES ('ana', '1660000000');
INSERT INTO vcard_search VALUES ('ana', 'Ana Lima', '');
INSERT INTO muc_room (name, host, opts, created_at) VALUES
    ('pier', 'rooms.localhost', '[{title,<<"Pier">>},{public,true},{affiliations,[{{<<"ana">>,<<"localhost">>,<<>>},{owner,<<>>}}]}].', '2020-01-03 00:00:00');
INSERT INTO archive (username, timestamp, peer, bare_peer, xml, txt, kind, nick) VALUES
    ('ana', 1600000000000001, 'bo@localhost/x', 'bo@localhost', '<message to=''bo@localhost'' from=''ana@localhost/y'' type=''chat'' id=''1''><body>ahoy 🚢</body></message>', 'ahoy 🚢', 'chat', ''),
    ('bo', 1600000000000002, 'ana@localhost/y', 'ana@localhost', '<message to=''bo@localhost'' from=''ana@localhost/y'' type=''chat'' id=''1''><body>ahoy 🚢</body></message>', 'ahoy 🚢', 'chat', ''),
    ('pier@rooms.localhost', 1600000000000003, 'bo@localhost/x', 'bo@localhost', '<message to=''pier@rooms.localhost'' from=''bo@localhost/x'' type=''groupchat'' id=''2''><body>here</body></message>', 'here', 'groupchat', 'Bo'),
    ('bo', 1600000000000004, 'ana@localhost/y', 'ana@localhost', '<message to=''ana@localhost'' from=''bo@localhost/y'' type=''chat''><composing/></message>', '', 'chat', '');
