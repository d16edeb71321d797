-- What the Monitoring plugin adds, as far as the pipeline reads it.
CREATE TABLE ofMessageArchive (
    messageID bigint, conversationID integer NOT NULL, fromJID varchar(1024) NOT NULL, toJID varchar(1024) NOT NULL, sentDate bigint NOT NULL,
    stanza text, body text, isPMforJID varchar(1024)
);
