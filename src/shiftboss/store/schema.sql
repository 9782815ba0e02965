-- One file per working directory. Append-only journal; the inbox is the only door for other processes.
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY,
  run TEXT NOT NULL,
  at REAL NOT NULL,
  kind TEXT NOT NULL,
  data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_of_run ON events (run, seq);
CREATE INDEX IF NOT EXISTS run_marks ON events (kind, seq) WHERE kind IN ('RunStarted', 'RunResumed', 'RunEnded');

CREATE TABLE IF NOT EXISTS inbox (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL,
  at REAL NOT NULL,
  kind TEXT NOT NULL,
  data TEXT NOT NULL
);

-- Formats 1 and 2 kept one mean for all machines, which says nothing about this one.
DROP TABLE IF EXISTS durations;

-- What kinds of orders took in one place: the newest samples (JSON, seconds, oldest first) and how many there were.
CREATE TABLE IF NOT EXISTS duration_samples (
  agent TEXT NOT NULL,
  component TEXT NOT NULL,
  mode TEXT NOT NULL,
  profile TEXT NOT NULL,
  host TEXT NOT NULL,
  versions TEXT NOT NULL,
  samples TEXT NOT NULL,
  count INTEGER NOT NULL,
  seen REAL NOT NULL,
  PRIMARY KEY (agent, component, mode, profile, host, versions)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS lessons (
  signature TEXT NOT NULL,
  strategy TEXT NOT NULL,
  lasted INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  seconds REAL NOT NULL,
  versions TEXT NOT NULL,
  seen REAL NOT NULL,
  PRIMARY KEY (signature, strategy)
) WITHOUT ROWID;

-- Recoveries that seem to have worked; settled when their window is over, by this run or a later one.
CREATE TABLE IF NOT EXISTS credits (
  delegation TEXT PRIMARY KEY,
  environment TEXT NOT NULL,
  component TEXT NOT NULL,
  signature TEXT NOT NULL,
  strategy TEXT NOT NULL,
  at REAL NOT NULL,
  due REAL NOT NULL,
  instance TEXT,
  seconds REAL NOT NULL,
  versions TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS remedies (
  signature TEXT NOT NULL,
  component TEXT NOT NULL,
  what TEXT NOT NULL,
  at REAL NOT NULL
);
