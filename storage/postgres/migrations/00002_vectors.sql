-- +goose Up
CREATE TABLE collection (
	tenant    bytea NOT NULL,
	name      text COLLATE "C" NOT NULL,
	dims      integer NOT NULL,
	change    bigint NOT NULL, -- counts writes
	gone      bigint NOT NULL, -- the change that last took a vector away
	documents bigint NOT NULL, -- those that have words
	words     bigint NOT NULL, -- of all of them
	PRIMARY KEY (tenant, name)
);
CREATE TABLE document (
	tenant     bytea NOT NULL,
	collection text COLLATE "C" NOT NULL,
	id         text COLLATE "C" NOT NULL,
	change     bigint NOT NULL, -- the collection's when it was written
	metadata   jsonb NOT NULL,
	text       text NOT NULL,
	words      bigint NOT NULL, -- how many it has
	PRIMARY KEY (tenant, collection, id)
);
-- Vectors lie apart, so that a search reads nothing else.
CREATE TABLE embedding (
	tenant     bytea NOT NULL,
	collection text COLLATE "C" NOT NULL,
	id         text COLLATE "C" NOT NULL, -- the document's
	change     bigint NOT NULL,
	vector     real[] NOT NULL,
	PRIMARY KEY (tenant, collection, id)
) WITH (toast_tuple_target = 8160); -- in the row as long as it fits into a page
ALTER TABLE embedding ALTER COLUMN vector SET STORAGE EXTERNAL; -- numbers do not compress
CREATE INDEX embedding_change ON embedding (tenant, collection, change);

-- Which word stands how often in which document.
CREATE TABLE word (
	tenant     bytea NOT NULL,
	collection text COLLATE "C" NOT NULL,
	word       text COLLATE "C" NOT NULL,
	id         text COLLATE "C" NOT NULL, -- the document's
	times      integer NOT NULL,
	PRIMARY KEY (tenant, collection, word, id)
);
CREATE INDEX word_document ON word (tenant, collection, id);

-- English stems, and no word that is left out.
CREATE TEXT SEARCH DICTIONARY stem (TEMPLATE = snowball, LANGUAGE = english);
CREATE TEXT SEARCH CONFIGURATION words (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING FOR asciiword, word, numword WITH stem;

-- +goose Down
DROP TEXT SEARCH CONFIGURATION words;
DROP TEXT SEARCH DICTIONARY stem;
DROP TABLE word;
DROP TABLE embedding;
DROP TABLE document;
DROP TABLE collection;
