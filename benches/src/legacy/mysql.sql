-- A web application of 2014 and its prefix: ids without a sign, flags as tinyint(1), words as enums,
-- and a zero date where there is none. Nothing refers to anything by the database's own rules.

CREATE TABLE chat_users (
    id           bigint unsigned NOT NULL AUTO_INCREMENT,
    login        varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    full_name    varchar(255) NOT NULL DEFAULT '',
    email        varchar(191),
    avatar       varchar(255) NOT NULL DEFAULT '',
    is_bot       tinyint(1) NOT NULL DEFAULT 0,
    status       enum('active', 'suspended', 'deleted') NOT NULL DEFAULT 'active',
    preferences  json,
    created_at   datetime(6) NOT NULL,
    last_seen_at datetime(6) NOT NULL DEFAULT '0000-00-00 00:00:00',
    deleted_at   datetime(6),
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE chat_conversations (
    id          bigint unsigned NOT NULL AUTO_INCREMENT,
    type        enum('direct', 'group_direct', 'public', 'private') NOT NULL,
    name        varchar(255) NOT NULL DEFAULT '',
    topic       text,
    created_by  bigint unsigned,
    is_archived tinyint(1) NOT NULL DEFAULT 0,
    created_at  datetime(6) NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE chat_participants (
    id              bigint unsigned NOT NULL AUTO_INCREMENT,
    conversation_id bigint unsigned NOT NULL,
    user_id         bigint unsigned NOT NULL,
    role            enum('owner', 'moderator', 'member') NOT NULL DEFAULT 'member',
    is_banned       tinyint(1) NOT NULL DEFAULT 0,
    is_muted        tinyint(1) NOT NULL DEFAULT 0,
    joined_at       datetime(6) NOT NULL,
    left_at         datetime(6),
    PRIMARY KEY (id),
    UNIQUE KEY participants_once (conversation_id, user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE chat_messages (
    id              bigint unsigned NOT NULL AUTO_INCREMENT,
    conversation_id bigint unsigned NOT NULL,
    user_id         bigint unsigned,
    type            enum('text', 'file', 'system', 'call') NOT NULL DEFAULT 'text',
    body            mediumtext,
    meta            json,
    parent_id       bigint unsigned,
    is_edited       tinyint(1) NOT NULL DEFAULT 0,
    is_deleted      tinyint(1) NOT NULL DEFAULT 0,
    created_at      datetime(6) NOT NULL,
    updated_at      datetime(6) NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE chat_attachments (
    id         bigint unsigned NOT NULL AUTO_INCREMENT,
    message_id bigint unsigned NOT NULL,
    url        varchar(1024) NOT NULL,
    file_name  varchar(255),
    mime_type  varchar(127),
    file_size  int unsigned,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE chat_reactions (
    message_id bigint unsigned NOT NULL,
    user_id    bigint unsigned NOT NULL,
    emoji      varchar(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    created_at datetime(6) NOT NULL,
    PRIMARY KEY (message_id, user_id, emoji)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- after the rows

ALTER TABLE chat_users ADD UNIQUE KEY users_login (login);
ALTER TABLE chat_messages
    ADD KEY messages_of_conversation (conversation_id, created_at),
    ADD KEY messages_by_time (created_at);
ALTER TABLE chat_attachments ADD KEY attachments_of_message (message_id);
ANALYZE TABLE chat_users, chat_conversations, chat_participants, chat_messages, chat_attachments, chat_reactions;
