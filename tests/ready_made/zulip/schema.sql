-- The tables and columns of Zulip that the pipeline reads, and no others.
CREATE TABLE zerver_realm (id serial PRIMARY KEY, string_id varchar(40) NOT NULL UNIQUE, name varchar(40));
CREATE TABLE zerver_userprofile (
    id serial PRIMARY KEY, realm_id int NOT NULL REFERENCES zerver_realm, full_name varchar(100) NOT NULL, date_joined timestamptz NOT NULL,
    last_login timestamptz, is_active boolean NOT NULL, is_bot boolean NOT NULL, is_mirror_dummy boolean NOT NULL, role smallint NOT NULL,
    timezone varchar(40) NOT NULL
);
CREATE TABLE zerver_recipient (id serial PRIMARY KEY, type_id int NOT NULL, type smallint NOT NULL, UNIQUE (type, type_id));
CREATE TABLE zerver_stream (
    id serial PRIMARY KEY, realm_id int NOT NULL REFERENCES zerver_realm, name varchar(60) NOT NULL, description varchar(1024) NOT NULL,
    invite_only boolean NOT NULL, deactivated boolean NOT NULL, date_created timestamptz NOT NULL
);
CREATE TABLE zerver_subscription (
    id serial PRIMARY KEY, user_profile_id int NOT NULL REFERENCES zerver_userprofile, recipient_id int NOT NULL REFERENCES zerver_recipient,
    active boolean NOT NULL, UNIQUE (user_profile_id, recipient_id)
);
CREATE TABLE zerver_message (
    id serial PRIMARY KEY, realm_id int NOT NULL REFERENCES zerver_realm, sender_id int NOT NULL REFERENCES zerver_userprofile,
    recipient_id int NOT NULL REFERENCES zerver_recipient, subject varchar(60) NOT NULL, content text NOT NULL,
    date_sent timestamptz NOT NULL, last_edit_time timestamptz
);
CREATE TABLE zerver_reaction (
    id serial PRIMARY KEY, user_profile_id int NOT NULL, message_id int NOT NULL REFERENCES zerver_message, emoji_name text NOT NULL
);
CREATE TABLE zerver_attachment (id serial PRIMARY KEY, file_name text NOT NULL, path_id text NOT NULL UNIQUE, size int NOT NULL);
CREATE TABLE zerver_attachment_messages (
    id serial PRIMARY KEY, attachment_id int NOT NULL REFERENCES zerver_attachment, message_id int NOT NULL REFERENCES zerver_message
);
CREATE TABLE zerver_realmauditlog (
    id serial PRIMARY KEY, event_type smallint NOT NULL, event_time timestamptz NOT NULL, modified_user_id int, modified_stream_id int
);
