-- +goose Up
CREATE TABLE run (
	tenant  bytea  NOT NULL,
	id      text   COLLATE "C" NOT NULL,
	name    text   NOT NULL,
	version int    NOT NULL,
	state   text   NOT NULL,
	input   bytea  NOT NULL,
	result  bytea,
	error   bytea  NOT NULL DEFAULT '',
	done    int    NOT NULL DEFAULT 0,
	total   int    NOT NULL DEFAULT 0,
	text    bytea  NOT NULL DEFAULT '',
	parent  text   NOT NULL DEFAULT '',
	started timestamptz NOT NULL,
	ended   timestamptz,
	-- epoch counts who took the run; a write that names another is refused.
	epoch   int    NOT NULL DEFAULT 0,
	owner   text,
	queued  timestamptz NOT NULL DEFAULT now(),
	cancel  bytea,
	PRIMARY KEY (tenant, id)
);
CREATE INDEX run_open ON run (tenant, state, id) WHERE state IN ('running', 'blocked');
CREATE INDEX run_state ON run (tenant, state, id);

CREATE TABLE entry (
	tenant bytea NOT NULL,
	run    text  COLLATE "C" NOT NULL,
	path   text  COLLATE "C" NOT NULL,
	seq    int   NOT NULL,
	data   bytea NOT NULL,
	PRIMARY KEY (tenant, run, path)
);

CREATE TABLE signal (
	n      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	tenant bytea  NOT NULL,
	run    text   COLLATE "C" NOT NULL,
	name   text   COLLATE "C" NOT NULL,
	data   bytea  NOT NULL
);
CREATE INDEX signal_await ON signal (tenant, run, name, n);

-- A process that is alive pushes its until on; what it executed is taken over after.
CREATE TABLE owner (
	id    text PRIMARY KEY,
	until timestamptz NOT NULL
);

-- +goose Down
DROP TABLE owner, signal, entry, run;
