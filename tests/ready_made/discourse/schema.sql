-- The tables and columns of Discourse that the pipeline reads, and no others.
CREATE TABLE users (
    id serial PRIMARY KEY, username varchar(60) NOT NULL, username_lower varchar(60) NOT NULL UNIQUE, name varchar, created_at timestamp NOT NULL,
    last_seen_at timestamp, active boolean NOT NULL DEFAULT false, admin boolean NOT NULL DEFAULT false, moderator boolean DEFAULT false,
    staged boolean NOT NULL DEFAULT false, suspended_at timestamp, suspended_till timestamp
);
CREATE TABLE categories (id serial PRIMARY KEY, name varchar(50) NOT NULL, read_restricted boolean NOT NULL DEFAULT false);
CREATE TABLE chat_channels (
    id bigserial PRIMARY KEY, chatable_id bigint NOT NULL, chatable_type varchar NOT NULL, name varchar, slug varchar, description text,
    status int NOT NULL DEFAULT 0, created_at timestamp NOT NULL, deleted_at timestamp
);
CREATE TABLE direct_message_channels (id bigserial PRIMARY KEY, "group" boolean NOT NULL DEFAULT false);
CREATE TABLE direct_message_users (id bigserial PRIMARY KEY, direct_message_channel_id bigint NOT NULL, user_id bigint NOT NULL, created_at timestamp NOT NULL);
CREATE TABLE user_chat_channel_memberships (
    id bigserial PRIMARY KEY, user_id bigint NOT NULL, chat_channel_id bigint NOT NULL, following boolean NOT NULL, created_at timestamp NOT NULL
);
CREATE TABLE chat_threads (id bigserial PRIMARY KEY, channel_id bigint NOT NULL, original_message_id bigint NOT NULL, title varchar);
CREATE TABLE chat_messages (
    id bigserial PRIMARY KEY, chat_channel_id bigint NOT NULL, user_id bigint, created_at timestamp NOT NULL, deleted_at timestamp,
    in_reply_to_id bigint, message text, thread_id bigint
);
CREATE TABLE chat_message_revisions (id bigserial PRIMARY KEY, chat_message_id bigint, created_at timestamp NOT NULL);
CREATE INDEX ON chat_message_revisions (chat_message_id);
CREATE TABLE chat_message_reactions (id bigserial PRIMARY KEY, chat_message_id bigint, user_id bigint, emoji varchar);
CREATE TABLE incoming_chat_webhooks (id bigserial PRIMARY KEY, name varchar NOT NULL, username varchar);
CREATE TABLE chat_webhook_events (id bigserial PRIMARY KEY, chat_message_id bigint NOT NULL UNIQUE, incoming_chat_webhook_id bigint NOT NULL);
CREATE TABLE uploads (id serial PRIMARY KEY, url varchar NOT NULL, original_filename varchar NOT NULL, filesize bigint NOT NULL);
CREATE TABLE upload_references (id bigserial PRIMARY KEY, upload_id bigint NOT NULL, target_type varchar NOT NULL, target_id bigint NOT NULL);
