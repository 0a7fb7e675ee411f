-- Records that amend earlier ones, each with the record it amends.
--
-- CloudTrail delivers an addendum where an event was late or a record lacked something. Both records
-- stay as they are; this view only pairs them: one row for each addendum, whose `original_…` columns
-- are NULL where the lake has no such event. The original is found by its event id, else by its
-- request id in the same account; of several the earliest counts, and one that is no addendum itself
-- comes before one that is.
WITH amending AS (
  SELECT *
  FROM cloudtrail
  WHERE addendum.reason IS NOT NULL
    OR addendum.updatedfields IS NOT NULL
    OR addendum.originaleventid IS NOT NULL
    OR addendum.originalrequestid IS NOT NULL
),
asked AS (
  SELECT
    source_file, source_index, recipientaccountid,
    addendum.originaleventid AS wanted_event, addendum.originalrequestid AS wanted_request
  FROM amending
),
candidates AS (
  SELECT
    a.source_file AS by_file, a.source_index AS by_index, 0 AS way,
    o.eventtime, o.eventid, o.requestid, o.eventname, o.source_file, o.source_index,
    o.addendum.reason IS NOT NULL AS amends,
    coalesce(o.recipientaccountid = a.recipientaccountid, false) AS same_account
  FROM asked AS a
  JOIN cloudtrail AS o ON o.eventid = a.wanted_event
  UNION ALL
  SELECT
    a.source_file, a.source_index, 1,
    o.eventtime, o.eventid, o.requestid, o.eventname, o.source_file, o.source_index,
    o.addendum.reason IS NOT NULL,
    true
  FROM asked AS a
  JOIN cloudtrail AS o
    ON o.requestid = a.wanted_request AND o.recipientaccountid = a.recipientaccountid
),
chosen AS (
  SELECT *
  FROM (
    SELECT
      *,
      row_number() OVER (
        PARTITION BY by_file, by_index
        ORDER BY
          way, same_account DESC, amends, eventtime NULLS LAST, source_file, source_index
      ) AS place
    FROM candidates
    WHERE NOT (by_file = source_file AND by_index = source_index)
  ) AS ranked
  WHERE place = 1
)
SELECT
  m.eventtime,
  m.eventid,
  m.recipientaccountid,
  m.awsregion,
  m.eventsource,
  m.eventname,
  m.addendum.reason AS reason,
  m.addendum.updatedfields AS updatedfields,
  m.addendum.originaleventid AS originaleventid,
  m.addendum.originalrequestid AS originalrequestid,
  c.eventtime AS original_eventtime,
  c.eventid AS original_eventid,
  c.requestid AS original_requestid,
  c.eventname AS original_eventname,
  c.source_file AS original_source_file,
  c.source_index AS original_source_index,
  m.source_file,
  m.source_index
FROM amending AS m
LEFT JOIN chosen AS c ON c.by_file = m.source_file AND c.by_index = m.source_index
