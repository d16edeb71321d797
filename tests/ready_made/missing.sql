-- What the server's own tables want and the population does not say, since the pipeline does not read it.
DO $$
DECLARE missing record;
BEGIN
    FOR missing IN SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND is_nullable = 'NO' AND column_default IS NULL
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER %I SET DEFAULT %L', missing.table_name, missing.column_name,
            CASE missing.column_name WHEN 'server_host' THEN 'localhost' ELSE '0' END);
    END LOOP;
END $$;
