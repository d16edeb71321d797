-- A small desktop application's server: everything in one file, nothing enforced, times in
-- milliseconds (the first release counted seconds), booleans as words.

CREATE TABLE users (
    id          INTEGER PRIMARY KEY,
    nick        TEXT NOT NULL UNIQUE,
    name        TEXT,
    email       TEXT,
    avatar      TEXT,
    bot         TEXT NOT NULL DEFAULT 'false',
    settings    JSON,
    created_at  INTEGER NOT NULL DEFAULT 0,
    last_seen   INTEGER,
    deleted_at  INTEGER
);

CREATE TABLE conversations (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('dm', 'multi', 'open', 'closed')),
    title       TEXT,
    topic       TEXT,
    owner_id    INTEGER,
    created_at  INTEGER NOT NULL,
    archived    TEXT NOT NULL DEFAULT 'false'
);

CREATE TABLE participants (
    conversation_id INTEGER NOT NULL,
    user_id         INTEGER NOT NULL,
    role            TEXT,
    joined_at       INTEGER NOT NULL,
    left_at         INTEGER,
    muted           TEXT NOT NULL DEFAULT 'false',
    PRIMARY KEY (conversation_id, user_id)
) WITHOUT ROWID;

CREATE TABLE messages (
    id              INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL,
    user_id         INTEGER,
    kind            TEXT NOT NULL DEFAULT 'text',
    body            TEXT,
    payload         JSON,
    parent_id       INTEGER,
    created_at      INTEGER NOT NULL,
    edited_at       INTEGER,
    deleted         TEXT NOT NULL DEFAULT 'false'
);

CREATE TABLE attachments (
    id         INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL,
    url        TEXT NOT NULL,
    name       TEXT,
    mime       TEXT,
    size       -- bytes; an old client wrote '12 KB'
);

CREATE TABLE reactions (
    message_id INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    emoji      TEXT NOT NULL,
    at         INTEGER,
    PRIMARY KEY (message_id, user_id, emoji)
) WITHOUT ROWID;

-- after the rows

CREATE INDEX messages_of_conversation ON messages (conversation_id, created_at);
CREATE INDEX messages_by_time ON messages (created_at);
CREATE INDEX attachments_of_message ON attachments (message_id);
CREATE INDEX participants_of_user ON participants (user_id);
ANALYZE;
