-- The tables and columns of Synapse that the pipeline reads, and no others.
CREATE TABLE users (
    name text UNIQUE, creation_ts bigint, admin smallint DEFAULT 0 NOT NULL, is_guest smallint DEFAULT 0 NOT NULL,
    appservice_id text, user_type text, deactivated smallint DEFAULT 0 NOT NULL
);
CREATE TABLE profiles (user_id text NOT NULL UNIQUE, displayname text, avatar_url text);
CREATE TABLE rooms (room_id text PRIMARY KEY, creator text, room_version text);
CREATE TABLE room_stats_state (
    room_id text NOT NULL UNIQUE, name text, canonical_alias text, join_rules text, encryption text, topic text, room_type text
);
CREATE TABLE room_memberships (
    event_id text NOT NULL UNIQUE, user_id text NOT NULL, sender text NOT NULL, room_id text NOT NULL, membership text NOT NULL,
    display_name text, avatar_url text
);
CREATE TABLE current_state_events (
    event_id text NOT NULL UNIQUE, room_id text NOT NULL, type text NOT NULL, state_key text NOT NULL, membership text,
    UNIQUE (room_id, type, state_key)
);
CREATE TABLE events (
    topological_ordering bigint NOT NULL, event_id text NOT NULL UNIQUE, type text NOT NULL, room_id text NOT NULL,
    processed boolean NOT NULL, outlier boolean NOT NULL, depth bigint NOT NULL, origin_server_ts bigint, received_ts bigint,
    sender text, stream_ordering bigint UNIQUE, state_key text, rejection_reason text
);
CREATE TABLE event_json (event_id text NOT NULL UNIQUE, room_id text NOT NULL, internal_metadata text NOT NULL, json text NOT NULL);
CREATE TABLE event_relations (
    event_id text NOT NULL UNIQUE, relates_to_id text NOT NULL, relation_type text NOT NULL, aggregation_key text
);
CREATE INDEX ON event_relations (relates_to_id, relation_type, aggregation_key);
CREATE TABLE redactions (event_id text NOT NULL UNIQUE, redacts text NOT NULL);
CREATE INDEX ON redactions (redacts);
CREATE TABLE account_data (
    user_id text NOT NULL, account_data_type text NOT NULL, stream_id bigint NOT NULL, content text NOT NULL,
    UNIQUE (user_id, account_data_type)
);
