-- Nobody wrote down who is in which chat: it is who wrote there. Spanish names, times in microseconds.
CREATE TABLE personas (id INTEGER PRIMARY KEY, nombre TEXT, foto TEXT);
CREATE TABLE conversaciones (id INTEGER PRIMARY KEY, titulo TEXT);
CREATE TABLE mensajes (id INTEGER PRIMARY KEY, conversacion_id INTEGER, autor_id INTEGER, texto TEXT, enviado_en INTEGER);
INSERT INTO personas VALUES (1, 'Ada', NULL), (2, 'José', NULL), (3, 'Nadie', NULL);
INSERT INTO conversaciones VALUES (7, 'Cocina'), (8, 'Patio');
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO mensajes SELECT i, 7 + i % 2, 1 + i % 2, 'Mensaje ' || i, 1700000000000000 + i * 1000000 FROM n;
-- What somebody wrote who is gone.
INSERT INTO mensajes VALUES (41, 7, 99, 'Hola', 1700000100000000);
