-- append
-- Add one event to the journal.
INSERT INTO events (run, at, kind, data) VALUES (?, ?, ?, ?);

-- events_of
-- All events of a run after a given number, oldest first.
SELECT seq, run, at, kind, data FROM events WHERE run = ? AND seq > ? ORDER BY seq;

-- runs
-- Starts, resumptions and ends of runs, newest first.
SELECT seq, run, at, kind, data FROM events WHERE kind IN ('RunStarted', 'RunResumed', 'RunEnded') ORDER BY seq DESC LIMIT ?;

-- last_run
-- The newest run.
SELECT run FROM events WHERE kind = 'RunStarted' ORDER BY seq DESC LIMIT 1;

-- send
-- Leave a message for the hub that runs, or for the next one.
INSERT INTO inbox (run, at, kind, data) VALUES (?, ?, ?, ?);

-- messages
-- Messages for a run (or for any), oldest first.
SELECT id, kind, data FROM inbox WHERE run = ? OR run = '' ORDER BY id;

-- take
-- Remove a message; done in the transaction that journals what it led to.
DELETE FROM inbox WHERE id = ?;

-- learn_duration
-- Fold one more duration into the running mean of its kind.
INSERT INTO durations (agent, component, mode, count, mean, last) VALUES (?1, ?2, ?3, 1, ?4, ?4)
ON CONFLICT (agent, component, mode) DO UPDATE SET
  count = count + 1,
  mean = mean + (?4 - mean) / min(count + 1, 20),
  last = ?4;

-- durations
-- What each kind of delegation took so far.
SELECT agent, component, mode, count, mean, last FROM durations;
