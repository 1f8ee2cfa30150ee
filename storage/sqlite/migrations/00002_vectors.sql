-- +goose Up
CREATE TABLE collection (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	tenant BLOB NOT NULL,
	name   TEXT NOT NULL,
	dims   INTEGER NOT NULL,
	change INTEGER NOT NULL DEFAULT 0, -- counts writes
	gone   INTEGER NOT NULL DEFAULT 0, -- the change that last took a vector away
	UNIQUE (tenant, name)
);
CREATE TABLE document (
	number     INTEGER PRIMARY KEY,
	collection INTEGER NOT NULL,
	id         TEXT NOT NULL,
	change     INTEGER NOT NULL, -- the collection's when it was written
	metadata   TEXT NOT NULL,
	text       TEXT NOT NULL,
	vector     BLOB, -- float32, least significant byte first
	UNIQUE (collection, id)
);
CREATE INDEX document_change ON document (collection, change);
CREATE TABLE metadata (
	document   INTEGER NOT NULL,
	key        TEXT NOT NULL,
	collection INTEGER NOT NULL,
	value      TEXT NOT NULL,
	PRIMARY KEY (document, key)
) WITHOUT ROWID;
CREATE INDEX metadata_value ON metadata (collection, key, value, document);

-- +goose Down
DROP TABLE metadata;
DROP TABLE document;
DROP TABLE collection;
