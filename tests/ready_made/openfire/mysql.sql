-- A few rows, in the tables as they are on MySQL, where names of tables keep their capitals.
CREATE TABLE ofUser (username varchar(64) PRIMARY KEY, name varchar(100), creationDate char(15) NOT NULL, modificationDate char(15) NOT NULL);
CREATE TABLE ofUserFlag (username varchar(64) NOT NULL, name varchar(100) NOT NULL, startTime char(15), endTime char(15), PRIMARY KEY (username, name));
CREATE TABLE ofPresence (username varchar(64) PRIMARY KEY, offlineDate char(15) NOT NULL);
CREATE TABLE ofMucService (serviceID bigint NOT NULL, subdomain varchar(191) PRIMARY KEY, isHidden tinyint NOT NULL);
CREATE TABLE ofMucRoom (
    serviceID bigint NOT NULL, roomID bigint NOT NULL, creationDate char(15) NOT NULL, name varchar(50) NOT NULL, naturalName varchar(255) NOT NULL,
    description varchar(255), publicRoom tinyint NOT NULL, membersOnly tinyint NOT NULL, PRIMARY KEY (serviceID, name)
);
CREATE TABLE ofMucAffiliation (roomID bigint NOT NULL, jid varchar(191) NOT NULL, affiliation tinyint NOT NULL, PRIMARY KEY (roomID, jid));
CREATE TABLE ofMucMember (roomID bigint NOT NULL, jid varchar(191) NOT NULL, nickname varchar(255), PRIMARY KEY (roomID, jid));
CREATE TABLE ofMucConversationLog (
    roomID bigint NOT NULL, messageID bigint NOT NULL, sender text NOT NULL, nickname varchar(255), logTime char(15) NOT NULL, body text, stanza text
);
CREATE TABLE ofMessageArchive (
    messageID bigint, conversationID bigint NOT NULL, fromJID varchar(255) NOT NULL, toJID varchar(255) NOT NULL, sentDate bigint NOT NULL, stanza text, body text,
    isPMforJID varchar(255)
);
INSERT INTO ofUser VALUES ('ana', 'Ana Lima', '001580000000000', '001580000000000'), ('bo', NULL, '001580000000001', '001580000000001');
INSERT INTO ofMucService VALUES (1, 'conference', 0);
INSERT INTO ofMucRoom VALUES (1, 1, '001590000000000', 'pier', 'Pier', NULL, 1, 0);
INSERT INTO ofMucAffiliation VALUES (1, 'ana@localhost', 10);
INSERT INTO ofMucConversationLog VALUES (1, 1, 'bo@localhost/x', 'Bo', '001600000000000', 'ahoy', NULL), (1, 2, 'bo@localhost/x', 'Bo', '001600000000001', NULL, NULL);
INSERT INTO ofMessageArchive VALUES (1, 1, 'ana@localhost', 'bo@localhost', 1600000000002, NULL, 'between us', NULL), (NULL, 1, 'bo@localhost', 'ana@localhost', 1600000000003, NULL, 'yes', NULL);
