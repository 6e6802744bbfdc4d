ALTER TABLE belt ADD COLUMN study_id INTEGER REFERENCES study (id);
UPDATE belt SET study_id = (SELECT study_id FROM event WHERE kind = 'belt' AND event.at >= belt.taken_at ORDER BY event.at, event.id LIMIT 1)
