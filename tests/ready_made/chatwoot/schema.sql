-- The tables and columns of Chatwoot that the pipeline reads, and no others.
CREATE TABLE users (id serial PRIMARY KEY, name varchar NOT NULL, display_name varchar, created_at timestamp NOT NULL);
CREATE TABLE account_users (id bigserial PRIMARY KEY, account_id bigint, user_id bigint, role int DEFAULT 0);
CREATE TABLE agent_bots (id bigserial PRIMARY KEY, name varchar, account_id bigint);
CREATE TABLE inboxes (id serial PRIMARY KEY, account_id int NOT NULL, name varchar NOT NULL);
CREATE TABLE contacts (
    id serial PRIMARY KEY, account_id int NOT NULL, name varchar DEFAULT '', identifier varchar, created_at timestamp NOT NULL, last_activity_at timestamp
);
CREATE TABLE conversations (
    id serial PRIMARY KEY, account_id int NOT NULL, inbox_id int NOT NULL, status int NOT NULL DEFAULT 0, assignee_id int, created_at timestamp NOT NULL,
    contact_id bigint, display_id int NOT NULL, cached_label_list text
);
CREATE TABLE messages (
    id serial PRIMARY KEY, content text, account_id int NOT NULL, conversation_id int NOT NULL, message_type int NOT NULL, created_at timestamp NOT NULL,
    private boolean NOT NULL DEFAULT false, status int DEFAULT 0, content_type int NOT NULL DEFAULT 0, content_attributes json DEFAULT '{}',
    sender_type varchar, sender_id bigint
);
CREATE TABLE attachments (
    id serial PRIMARY KEY, file_type int DEFAULT 0, external_url varchar, coordinates_lat float DEFAULT 0.0, coordinates_long float DEFAULT 0.0,
    message_id int, fallback_title varchar, extension varchar
);
CREATE TABLE active_storage_blobs (id bigserial PRIMARY KEY, key varchar NOT NULL UNIQUE, filename varchar NOT NULL, content_type varchar, byte_size bigint NOT NULL);
CREATE TABLE active_storage_attachments (
    id bigserial PRIMARY KEY, name varchar NOT NULL, record_type varchar NOT NULL, record_id bigint NOT NULL, blob_id bigint NOT NULL
);
