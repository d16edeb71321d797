-- The same chances for the same seed, whatever the version of the server.
CREATE FUNCTION pg_temp.dice(what text, n bigint, sides int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT (('x' || substr(md5('9 ' || what || ' ' || n), 1, 7))::bit(28)::int % sides)
$$;
CREATE FUNCTION pg_temp.id(what text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT substr(translate(md5(what) || md5('more ' || what), '0189', 'wxyz'), 1, 26)
$$;
