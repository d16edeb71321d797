-- German names, first and last name apart, times as people write them.
CREATE TABLE benutzer (nr INTEGER PRIMARY KEY, benutzername TEXT, vorname TEXT, nachname TEXT, registriert_am TEXT);
CREATE TABLE raeume (id INTEGER PRIMARY KEY, bezeichnung TEXT, erstellt_am TEXT);
CREATE TABLE mitglieder (raum_id INTEGER, benutzer_nr INTEGER, beigetreten_am TEXT, PRIMARY KEY (raum_id, benutzer_nr));
CREATE TABLE nachrichten (id INTEGER PRIMARY KEY, raum_id INTEGER, absender_nr INTEGER, inhalt TEXT, gesendet_am TEXT);
INSERT INTO benutzer VALUES (1, 'ada', 'Ada', 'Byron', '31.12.2023 10:00'), (2, 'otto', 'Otto', NULL, '01.01.2024 10:00'),
    (3, 'eva', NULL, NULL, '02.01.2024 10:00');
INSERT INTO raeume VALUES (1, 'Küche', '15.01.2024 09:30'), (2, 'Flur', '16.01.2024 09:30');
INSERT INTO mitglieder SELECT r.id, b.nr, '17.01.2024 09:30' FROM raeume r, benutzer b;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO nachrichten SELECT i, 1 + i % 2, 1 + i % 3, 'Nachricht ' || i, printf('%02d.02.2024 %02d:%02d', 1 + i / 2, i % 24, i) FROM n;
