-- +goose Up
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counter VALUES ('version', 0);

CREATE TABLE kv (
	tenant  BLOB NOT NULL,
	space   TEXT NOT NULL,
	key     BLOB NOT NULL,
	version INTEGER NOT NULL,
	expires INTEGER NOT NULL, -- microseconds since 1970; 0 is never
	data    BLOB NOT NULL,
	PRIMARY KEY (tenant, space, key)
);
CREATE INDEX kv_expires ON kv (expires) WHERE expires > 0;

CREATE TABLE record (
	number     INTEGER PRIMARY KEY,
	tenant     BLOB NOT NULL,
	collection TEXT NOT NULL,
	id         TEXT NOT NULL,
	version    INTEGER NOT NULL,
	created    INTEGER NOT NULL,
	updated    INTEGER NOT NULL,
	data       BLOB NOT NULL,
	UNIQUE (tenant, collection, id)
);
CREATE TABLE field (
	record     INTEGER NOT NULL,
	name       TEXT NOT NULL,
	tenant     BLOB NOT NULL,
	collection TEXT NOT NULL,
	kind       INTEGER NOT NULL,
	text       TEXT NOT NULL,
	num        REAL NOT NULL,
	id         TEXT NOT NULL,
	uniq       INTEGER NOT NULL,
	PRIMARY KEY (record, name)
) WITHOUT ROWID;
CREATE INDEX field_order ON field (tenant, collection, name, kind, text, num, id);
CREATE UNIQUE INDEX field_unique ON field (tenant, collection, name, kind, text, num) WHERE uniq = 1;

CREATE TABLE message (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	tenant   BLOB NOT NULL,
	queue    TEXT NOT NULL,
	key      TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	sent     INTEGER NOT NULL,
	ready    INTEGER NOT NULL,
	receipt  INTEGER NOT NULL, -- 0: no lease
	failed   INTEGER NOT NULL, -- 0: no dead letter
	cause    TEXT NOT NULL,
	body     BLOB NOT NULL
);
CREATE INDEX message_ready ON message (tenant, queue, ready, id) WHERE failed = 0;
CREATE INDEX message_failed ON message (tenant, queue, failed, id) WHERE failed > 0;
CREATE TABLE message_key (
	tenant BLOB NOT NULL,
	queue  TEXT NOT NULL,
	key    TEXT NOT NULL,
	id     INTEGER NOT NULL,
	ends   INTEGER NOT NULL,
	PRIMARY KEY (tenant, queue, key)
) WITHOUT ROWID;
CREATE INDEX message_key_ends ON message_key (ends);

CREATE TABLE event (
	id     INTEGER PRIMARY KEY AUTOINCREMENT,
	tenant BLOB NOT NULL,
	topic  TEXT NOT NULL,
	at     INTEGER NOT NULL,
	data   BLOB NOT NULL
);

CREATE TABLE lock (
	tenant  BLOB NOT NULL,
	name    TEXT NOT NULL,
	token   INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	PRIMARY KEY (tenant, name)
) WITHOUT ROWID;

CREATE TABLE rate (
	tenant BLOB NOT NULL,
	name   TEXT NOT NULL,
	tat    INTEGER NOT NULL,
	PRIMARY KEY (tenant, name)
) WITHOUT ROWID;

CREATE TABLE journal (
	tenant BLOB NOT NULL,
	name   TEXT NOT NULL,
	seq    INTEGER NOT NULL,
	time   INTEGER NOT NULL,
	kind   TEXT NOT NULL,
	data   BLOB NOT NULL,
	prev   BLOB NOT NULL,
	hash   BLOB NOT NULL,
	PRIMARY KEY (tenant, name, seq)
);
-- +goose StatementBegin
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
-- +goose StatementEnd

CREATE TABLE login (
	login  TEXT PRIMARY KEY,
	tenant BLOB NOT NULL,
	user   TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX login_tenant ON login (tenant);

-- +goose Down
DROP TABLE login;
DROP TABLE journal;
DROP TABLE rate;
DROP TABLE lock;
DROP TABLE event;
DROP TABLE message_key;
DROP TABLE message;
DROP TABLE field;
DROP TABLE record;
DROP TABLE kv;
DROP TABLE counter;
