-- +goose Up
CREATE SEQUENCE number; -- versions, ids, receipts: none returns

-- The server's time in microseconds since 1970, as it is now.
-- +goose StatementBegin
CREATE FUNCTION micros() RETURNS bigint LANGUAGE sql VOLATILE AS
$$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;
-- +goose StatementEnd

CREATE TABLE kv (
	tenant  bytea NOT NULL,
	space   text COLLATE "C" NOT NULL,
	key     bytea NOT NULL,
	version bigint NOT NULL,
	expires bigint NOT NULL, -- microseconds since 1970; 0 is never
	data    bytea NOT NULL,
	PRIMARY KEY (tenant, space, key)
);
CREATE INDEX kv_expires ON kv (tenant, expires) WHERE expires > 0;

CREATE TABLE record (
	tenant     bytea NOT NULL,
	collection text COLLATE "C" NOT NULL,
	id         text COLLATE "C" NOT NULL,
	version    bigint NOT NULL,
	created    bigint NOT NULL,
	updated    bigint NOT NULL,
	data       text NOT NULL, -- not json: it is kept byte for byte
	PRIMARY KEY (tenant, collection, id)
);
CREATE TABLE field (
	tenant     bytea NOT NULL,
	collection text COLLATE "C" NOT NULL,
	id         text COLLATE "C" NOT NULL, -- the record's
	name       text COLLATE "C" NOT NULL,
	kind       smallint NOT NULL,
	text       text COLLATE "C" NOT NULL,
	num        double precision NOT NULL,
	uniq       boolean NOT NULL,
	PRIMARY KEY (tenant, collection, id, name)
);
CREATE INDEX field_order ON field (tenant, collection, name, kind, text, num, id);
CREATE UNIQUE INDEX field_unique ON field (tenant, collection, name, kind, text, num) WHERE uniq;

CREATE TABLE message (
	tenant   bytea NOT NULL,
	queue    text COLLATE "C" NOT NULL,
	id       bigint NOT NULL,
	key      text COLLATE "C" NOT NULL,
	attempts integer NOT NULL,
	sent     bigint NOT NULL,
	ready    bigint NOT NULL,
	receipt  bigint NOT NULL, -- 0: no lease
	failed   bigint NOT NULL, -- 0: no dead letter
	cause    text NOT NULL,
	body     bytea NOT NULL,
	PRIMARY KEY (tenant, queue, id)
);
CREATE INDEX message_ready ON message (tenant, queue, ready, id) WHERE failed = 0;
CREATE INDEX message_failed ON message (tenant, queue, failed, id) WHERE failed > 0;
CREATE TABLE message_key (
	tenant bytea NOT NULL,
	queue  text COLLATE "C" NOT NULL,
	key    text COLLATE "C" NOT NULL,
	id     bigint NOT NULL,
	ends   bigint NOT NULL,
	PRIMARY KEY (tenant, queue, key)
);
CREATE INDEX message_key_ends ON message_key (tenant, ends);

-- Events that are too long for a notification.
CREATE TABLE event (
	tenant bytea NOT NULL,
	id     bigint NOT NULL,
	at     bigint NOT NULL,
	data   bytea NOT NULL,
	PRIMARY KEY (tenant, id)
);
CREATE INDEX event_at ON event (tenant, at);

CREATE TABLE lock (
	tenant  bytea NOT NULL,
	name    text COLLATE "C" NOT NULL,
	token   bigint NOT NULL,
	expires bigint NOT NULL,
	PRIMARY KEY (tenant, name)
);
CREATE INDEX lock_expires ON lock (tenant, expires);

CREATE TABLE rate (
	tenant bytea NOT NULL,
	name   text COLLATE "C" NOT NULL,
	tat    bigint NOT NULL, -- nanoseconds since 1970
	PRIMARY KEY (tenant, name)
) WITH (fillfactor = 50); -- room to update in place

-- The generic cell rate algorithm as storage.GCRA has it: it returns the time of
-- arrival that was stored, the time of the decision, and the decision.
-- +goose StatementBegin
CREATE FUNCTION take(_tenant bytea, _name text, _now bigint, _need double precision, _full double precision,
	OUT before bigint, OUT judged bigint, OUT allowed boolean) LANGUAGE plpgsql AS $$
DECLARE
	next double precision;
BEGIN
	LOOP
		SELECT tat INTO before FROM rate WHERE tenant = _tenant AND name = _name FOR UPDATE;
		EXIT WHEN FOUND;
		INSERT INTO rate (tenant, name, tat) VALUES (_tenant, _name, 0) ON CONFLICT DO NOTHING;
	END LOOP;
	judged := coalesce(_now, micros() * 1000); -- once nobody else can change the row
	next := greatest(0, before - judged)::double precision + _need;
	allowed := next <= _full + 1;
	IF allowed THEN
		UPDATE rate SET tat = judged + ceil(next)::bigint WHERE tenant = _tenant AND name = _name;
	END IF;
END $$;
-- +goose StatementEnd

CREATE TABLE journal (
	tenant bytea NOT NULL,
	name   text COLLATE "C" NOT NULL,
	seq    bigint NOT NULL,
	time   bigint NOT NULL,
	kind   text COLLATE "C" NOT NULL,
	data   bytea NOT NULL,
	prev   bytea NOT NULL,
	hash   bytea NOT NULL,
	PRIMARY KEY (tenant, name, seq)
);
-- The end of each journal; whoever appends holds its row.
CREATE TABLE journal_head (
	tenant bytea NOT NULL,
	name   text COLLATE "C" NOT NULL,
	seq    bigint NOT NULL,
	hash   bytea NOT NULL,
	PRIMARY KEY (tenant, name)
);
-- +goose StatementBegin
CREATE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$;
-- +goose StatementEnd
CREATE TRIGGER journal_no_change BEFORE UPDATE OR DELETE ON journal FOR EACH ROW EXECUTE FUNCTION journal_refuse();
CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON journal FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();

-- Whose a login is, asked before the tenant is known: the one table that spans
-- tenants.
CREATE TABLE login (
	login   text COLLATE "C" PRIMARY KEY,
	tenant  bytea NOT NULL,
	account text COLLATE "C" NOT NULL -- the user's id
);
CREATE INDEX login_tenant ON login (tenant);

-- +goose Down
DROP TABLE login;
DROP TABLE journal_head;
DROP TABLE journal;
DROP FUNCTION journal_refuse;
DROP FUNCTION take;
DROP TABLE rate;
DROP TABLE lock;
DROP TABLE event;
DROP TABLE message_key;
DROP TABLE message;
DROP TABLE field;
DROP TABLE record;
DROP TABLE kv;
DROP FUNCTION micros;
DROP SEQUENCE number;
