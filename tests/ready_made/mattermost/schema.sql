-- The tables and columns of Mattermost that the pipeline reads, and no others.
CREATE TYPE channel_type AS ENUM ('P', 'G', 'O', 'D');
CREATE TABLE teams (id varchar(26) PRIMARY KEY, displayname varchar(64), name varchar(64), type text);
CREATE TABLE users (
    id varchar(26) PRIMARY KEY, createat bigint, deleteat bigint, username varchar(64) UNIQUE, email varchar(128),
    nickname varchar(64), firstname varchar(64), lastname varchar(64), roles varchar(256), "position" varchar(128)
);
CREATE TABLE bots (userid varchar(26) PRIMARY KEY);
CREATE TABLE status (userid varchar(26) PRIMARY KEY, lastactivityat bigint);
CREATE TABLE channels (
    id varchar(26) PRIMARY KEY, createat bigint, deleteat bigint, teamid varchar(26), type channel_type,
    displayname varchar(64), name varchar(64), header varchar(1024), purpose varchar(250), creatorid varchar(26)
);
CREATE TABLE channelmembers (
    channelid varchar(26), userid varchar(26), roles varchar(256), schemeadmin boolean,
    PRIMARY KEY (channelid, userid)
);
CREATE TABLE channelmemberhistory (
    channelid varchar(26), userid varchar(26), jointime bigint, leavetime bigint,
    PRIMARY KEY (channelid, userid, jointime)
);
CREATE TABLE posts (
    id varchar(26) PRIMARY KEY, createat bigint, deleteat bigint, userid varchar(26), channelid varchar(26),
    rootid varchar(26), originalid varchar(26), message varchar(65535), type varchar(26), props jsonb,
    fileids varchar(300), editat bigint, ispinned boolean
);
CREATE TABLE fileinfo (
    id varchar(26) PRIMARY KEY, postid varchar(26), createat bigint, deleteat bigint, path varchar(512),
    name varchar(256), extension varchar(64), size bigint, mimetype varchar(256)
);
CREATE TABLE reactions (
    userid varchar(26), postid varchar(26), emojiname varchar(64), createat bigint, deleteat bigint,
    PRIMARY KEY (postid, userid, emojiname)
);
