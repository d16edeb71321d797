-- The tables and columns of ejabberd that the pipeline reads, and no others.
CREATE TABLE users (username text NOT NULL, type smallint NOT NULL, created_at timestamp NOT NULL DEFAULT now(), PRIMARY KEY (username, type));
CREATE TABLE last (username text PRIMARY KEY, seconds text NOT NULL);
CREATE TABLE vcard_search (lusername text PRIMARY KEY, fn text NOT NULL, nickname text NOT NULL);
CREATE TABLE archive (
    username text NOT NULL, timestamp bigint NOT NULL, peer text NOT NULL, bare_peer text NOT NULL, xml text NOT NULL, txt text,
    id bigserial, kind text, nick text, origin_id text
);
CREATE INDEX ON archive (timestamp);
CREATE TABLE muc_room (name text NOT NULL, host text NOT NULL, opts text NOT NULL, created_at timestamp NOT NULL DEFAULT now(), UNIQUE (name, host));
CREATE TABLE muc_room_subscribers (
    room text NOT NULL, host text NOT NULL, jid text NOT NULL, nick text NOT NULL, nodes text NOT NULL, UNIQUE (host, room, jid)
);
