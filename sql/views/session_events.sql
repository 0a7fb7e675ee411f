-- Which session made which event: one row for each event whose caller is known.
--
-- An event belongs to the session of its caller. What issued a session, and by whom, is in `sessions`
-- and `session_edges`.
SELECT
  callers.eventid,
  callers.recipientaccountid,
  callers.eventtime,
  session_marks.session_id
FROM session_marks
JOIN callers ON callers.mark = session_marks.mark
