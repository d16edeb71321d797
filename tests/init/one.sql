-- One table: the room and the nick stand in each line, and nothing tells lines apart.
CREATE TABLE chatlog (room TEXT, nick TEXT, line TEXT, ts INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
INSERT INTO chatlog SELECT CASE i % 3 WHEN 0 THEN '#rust' ELSE '#ops' END,
    CASE i % 4 WHEN 0 THEN 'Ada' WHEN 1 THEN 'bob_' WHEN 2 THEN 'ADA' ELSE 'eve' END, 'said ' || i, 1700000000 + i FROM n;
