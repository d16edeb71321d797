-- The tables and columns of Openfire that the pipeline reads, and no others.
CREATE TABLE ofUser (username varchar(64) PRIMARY KEY, name varchar(100), creationDate char(15) NOT NULL, modificationDate char(15) NOT NULL);
CREATE TABLE ofUserFlag (username varchar(64) NOT NULL, name varchar(100) NOT NULL, startTime char(15), endTime char(15), PRIMARY KEY (username, name));
CREATE TABLE ofPresence (username varchar(64) PRIMARY KEY, offlineDate char(15) NOT NULL);
CREATE TABLE ofMucService (serviceID integer NOT NULL, subdomain varchar(255) PRIMARY KEY, isHidden integer NOT NULL);
CREATE TABLE ofMucRoom (
    serviceID integer NOT NULL, roomID integer NOT NULL, creationDate char(15) NOT NULL, name varchar(50) NOT NULL, naturalName varchar(255) NOT NULL,
    description varchar(255), publicRoom integer NOT NULL, membersOnly integer NOT NULL, PRIMARY KEY (serviceID, name)
);
CREATE TABLE ofMucAffiliation (roomID integer NOT NULL, jid varchar(1024) NOT NULL, affiliation integer NOT NULL, PRIMARY KEY (roomID, jid));
CREATE TABLE ofMucMember (roomID integer NOT NULL, jid varchar(1024) NOT NULL, nickname varchar(255), PRIMARY KEY (roomID, jid));
CREATE TABLE ofMucConversationLog (
    roomID integer NOT NULL, messageID integer NOT NULL, sender varchar(1024) NOT NULL, nickname varchar(255), logTime char(15) NOT NULL,
    subject varchar(255), body text, stanza text
);
