-- Who acted: one row for each principal key, with when, from how many places, and how it went.
--
-- A principal is a user, a root identity, one named session of a role, a service, or a federated
-- subject. `identity` is the same without the session: the role for its sessions. `writes` counts calls
-- that CloudTrail does not mark as read-only.
SELECT
  principal_key,
  min(coalesce(caller_role_arn, principal_key)) AS identity,
  min(useridentity.type) AS type,
  min(caller_account) AS account,
  min(session_name) AS session_name,
  min(workload) AS workload,
  min(eventtime) AS first_time,
  max(eventtime) AS last_time,
  count(*) AS events,
  sum(CASE WHEN denied THEN 1 ELSE 0 END) AS denied,
  sum(CASE WHEN readonly THEN 0 ELSE 1 END) AS writes,
  count(DISTINCT sourceipaddress) AS addresses,
  count(DISTINCT useridentity.accesskeyid) AS keys,
  count(DISTINCT awsregion) AS regions,
  bool_or(console) AS console
FROM activity
WHERE principal_key IS NOT NULL
GROUP BY principal_key
