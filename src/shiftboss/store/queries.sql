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

-- duration
-- What one kind of order took in one place so far.
SELECT samples, count FROM duration_samples
WHERE agent = ? AND component = ? AND mode = ? AND profile = ? AND host = ? AND versions = ?;

-- keep_duration
-- The samples of one kind of order in one place, as they are now.
INSERT OR REPLACE INTO duration_samples (agent, component, mode, profile, host, versions, samples, count, seen)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- durations
-- What each kind of order took everywhere.
SELECT agent, component, mode, profile, host, versions, samples, count, seen FROM duration_samples;

-- drop_other_versions
-- What was learned about a failure with other versions no longer holds.
DELETE FROM lessons WHERE signature = ? AND versions <> ?;

-- lesson_lasted
-- A recovery held.
INSERT INTO lessons (signature, strategy, lasted, failed, seconds, versions, seen) VALUES (?1, ?2, 1, 0, ?3, ?4, ?5)
ON CONFLICT (signature, strategy) DO UPDATE SET
  lasted = lasted + 1,
  seconds = seconds + (?3 - seconds) / min(lasted + 1, 20),
  seen = ?5;

-- lesson_failed
-- A recovery did not help, or did not hold: what it had earned is gone.
INSERT INTO lessons (signature, strategy, lasted, failed, seconds, versions, seen) VALUES (?1, ?2, 0, 1, ?3, ?4, ?5)
ON CONFLICT (signature, strategy) DO UPDATE SET
  lasted = 0,
  failed = failed + 1,
  seen = ?5;

-- put_lesson
-- A lesson as it was learned elsewhere.
INSERT OR REPLACE INTO lessons (signature, strategy, lasted, failed, seconds, versions, seen) VALUES (?, ?, ?, ?, ?, ?, ?);

-- lessons
-- All lessons, what lasted most first.
SELECT signature, strategy, lasted, failed, seconds, versions, seen FROM lessons ORDER BY lasted DESC, failed, signature, strategy;

-- lessons_like
-- The lessons that `forget` would forget.
SELECT 1 FROM lessons WHERE signature LIKE ?1 ESCAPE '\' AND (?2 IS NULL OR strategy = ?2);

-- forget_lessons
DELETE FROM lessons WHERE signature LIKE ?1 ESCAPE '\' AND (?2 IS NULL OR strategy = ?2);

-- forget_credits
DELETE FROM credits WHERE signature LIKE ?1 ESCAPE '\' AND (?2 IS NULL OR strategy = ?2);

-- forget_remedies
DELETE FROM remedies WHERE signature LIKE ? ESCAPE '\';

-- open_credit
-- A recovery seems to have worked; whether it lasts will be seen.
INSERT OR REPLACE INTO credits (delegation, environment, component, signature, strategy, at, due, instance, seconds, versions)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- close_credit
DELETE FROM credits WHERE delegation = ?;

-- drop_credits
DELETE FROM credits WHERE environment = ?;

-- credits
-- All open credits, oldest first.
SELECT delegation, environment, component, signature, strategy, at, due, instance, seconds, versions FROM credits ORDER BY at;

-- add_remedy
INSERT INTO remedies (signature, component, what, at) VALUES (?, ?, ?, ?);

-- remedies
-- What people mended by hand, newest first.
SELECT signature, component, what, at FROM remedies ORDER BY at DESC;
