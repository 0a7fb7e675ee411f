/*---
id = "cloudtrail-impaired"
title = "CloudTrail switched off or narrowed"
severity = "high"
maturity = "stable"
kind = "stateless"
full_scan = "an account that falls silent shows in all events only"
risk = ["misconfiguration"]
attack = ["T1685.002"]
description = """
A trail or event data store was stopped, deleted or set so that it records less; or its bucket or
key was taken away; or the account left the organization whose trail covers it. A trail of all
Regions or of the organization, and selectors without any management events, are critical; refused
attempts are medium. Settings that a trail had before, or was made with a moment ago, change nothing
and are low. A Region that was busy every hour for a week and then fell silent is reported too."""
summary = """{% if actor %}{{ actor }}{% if not done %} tried{% endif %}: {{ effects | join("; ")
}}, about {{ subject }}{% else %}{{ subject }} {{ effects | join("; ") }}{% endif %}."""
false_positives = [
  "Test trails that infrastructure as code makes and destroys.",
  "A trail for data events alone, beside one for management events.",
  "A Region given up on purpose.",
]
triage = [
  "Was it announced, and is logging on again?",
  "What did the actor do just before, and what happened in the gap that other sources show?",
  "Which other trails record this account?",
]
remediation = ["cloudtrail-back-on", "contain-user", "organization-guard-rails"]
references = [
  "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html",
  "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html",
]

[params]
newborn_minutes = 10
test_trail_hours = 24
# Logs that are kept shorter than this are gone before anybody looks.
min_retention_days = 90
busy_hours = 168
silent_hours = 3
---*/
WITH calls AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventsource,
    eventname, useragent, ok, denied, iac_hint, subject, requestparameters, responseelements,
    coalesce(recipientaccountid, caller_account) AS account,
    useridentity.accesskeyid AS access_key_id,
    CASE WHEN awsregion LIKE 'cn-%' THEN 'aws-cn' WHEN awsregion LIKE 'us-gov-%' THEN 'aws-us-gov'
      ELSE 'aws' END AS aws,
    coalesce(
      json_get_str(requestparameters, 'trailName'),
      json_get_str(requestparameters, 'name')) AS named
  FROM activity
  WHERE useridentity.type IS DISTINCT FROM 'AWSService'
    AND (eventsource = 'cloudtrail.amazonaws.com' AND eventname IN (
        'CreateTrail', 'UpdateTrail', 'StopLogging', 'DeleteTrail', 'PutEventSelectors',
        'PutInsightSelectors', 'StopEventDataStoreIngestion', 'DeleteEventDataStore',
        'DeleteServiceLinkedChannel')
      OR eventsource = 's3.amazonaws.com' AND eventname IN (
        'DeleteBucket', 'PutBucketLifecycle', 'PutBucketLifecycleConfiguration',
        'PutBucketPolicy', 'DeleteBucketPolicy')
      OR eventsource = 'kms.amazonaws.com' AND eventname IN ('DisableKey', 'ScheduleKeyDeletion')
      OR eventsource = 'organizations.amazonaws.com' AND eventname IN (
        'LeaveOrganization', 'DisableAWSServiceAccess'))
),
trail_calls AS (
  SELECT
    *,
    coalesce(
      json_get_str(responseelements, 'trailARN'),
      -- A store of events is named by its ARN, or the last part of it, and a channel by its ARN.
      CASE WHEN json_get_str(requestparameters, 'eventDataStore') LIKE 'arn:%'
        THEN json_get_str(requestparameters, 'eventDataStore') END,
      'arn:' || aws || ':cloudtrail:' || awsregion || ':' || account || ':eventdatastore/'
        || json_get_str(requestparameters, 'eventDataStore'),
      json_get_str(requestparameters, 'channel'),
      CASE WHEN named LIKE 'arn:%' THEN named END,
      'arn:' || aws || ':cloudtrail:' || awsregion || ':' || account || ':trail/' || named,
      CASE WHEN subject LIKE 'arn:%' THEN subject END
    ) AS trail_arn,
    lower(coalesce(
      json_as_text(requestparameters, 'isMultiRegionTrail'),
      json_as_text(responseelements, 'isMultiRegionTrail'))) AS multi_region,
    lower(coalesce(
      json_as_text(requestparameters, 'isOrganizationTrail'),
      json_as_text(responseelements, 'isOrganizationTrail'))) AS of_organization,
    lower(coalesce(
      json_as_text(requestparameters, 'includeGlobalServiceEvents'),
      json_as_text(responseelements, 'includeGlobalServiceEvents'))) AS global_events,
    lower(coalesce(
      json_as_text(requestparameters, 'enableLogFileValidation'),
      json_as_text(responseelements, 'logFileValidationEnabled'))) AS validation,
    coalesce(
      json_get_str(requestparameters, 's3BucketName'),
      json_get_str(responseelements, 's3BucketName')) AS bucket,
    -- The answer has the key's ARN where the request has an alias.
    coalesce(
      json_get_str(responseelements, 'kmsKeyId'),
      json_get_str(requestparameters, 'kmsKeyId')) AS kms_key,
    CASE WHEN eventname = 'PutInsightSelectors' THEN
      coalesce(json_length(requestparameters, 'insightSelectors'), 0) END AS n_insights
  FROM calls
  WHERE eventsource = 'cloudtrail.amazonaws.com'
),
-- What was known of the trail before each call. Failed calls teach nothing.
trails AS (
  SELECT
    *,
    last_value(CASE WHEN ok THEN multi_region END) IGNORE NULLS OVER past AS was_multi_region,
    last_value(CASE WHEN ok THEN global_events END) IGNORE NULLS OVER past AS was_global,
    last_value(CASE WHEN ok THEN validation END) IGNORE NULLS OVER past AS was_validated,
    last_value(CASE WHEN ok THEN bucket END) IGNORE NULLS OVER past AS was_bucket,
    last_value(CASE WHEN ok THEN kms_key END) IGNORE NULLS OVER past AS was_key,
    last_value(CASE WHEN ok THEN n_insights END) IGNORE NULLS OVER past AS had_insights,
    last_value(CASE WHEN ok AND eventname = 'CreateTrail' THEN eventtime END) IGNORE NULLS OVER past
      AS born_at,
    last_value(CASE WHEN ok AND eventname = 'CreateTrail' THEN actor END) IGNORE NULLS OVER past
      AS born_by,
    last_value(CASE WHEN ok AND eventname = 'CreateTrail' THEN useragent END) IGNORE NULLS OVER past
      AS born_with,
    bool_or(ok AND coalesce(multi_region, '') = 'true') OVER whole AS ever_multi_region,
    bool_or(ok AND coalesce(of_organization, '') = 'true') OVER whole AS ever_of_organization
  FROM trail_calls
  WINDOW
    past AS (PARTITION BY trail_arn ORDER BY eventtime, eventid
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
    whole AS (PARTITION BY trail_arn)
),
-- Plain selectors: together they record what any of them does.
plain AS (
  SELECT
    eventid,
    bool_or(management) AS management,
    bool_or(management AND reads_and_writes) AS all_kinds,
    bool_or(management AND reads_and_writes AND NOT excludes) AS whole
  FROM (
    SELECT
      eventid,
      lower(coalesce(json_as_text(selector, 'includeManagementEvents'), 'true')) = 'true'
        AS management,
      lower(coalesce(json_as_text(selector, 'readWriteType'), 'all')) = 'all' AS reads_and_writes,
      coalesce(json_length(selector, 'excludeManagementEventSources'), 0) > 0 AS excludes
    FROM (
      SELECT eventid, unnest(json_get_array(requestparameters, 'eventSelectors')) AS selector
      FROM calls
      WHERE eventname = 'PutEventSelectors' AND ok
    )
  )
  GROUP BY eventid
),
fields AS (
  SELECT
    eventid,
    place,
    lower(json_get_str(field, 'field')) AS name,
    lower(coalesce(json_as_text(field, 'equals'), '')) AS equal,
    field
  FROM (
    SELECT eventid, place, unnest(json_get_array(selector, 'fieldSelectors')) AS field
    FROM (
      SELECT eventid, selector, row_number() OVER (PARTITION BY eventid ORDER BY selector) AS place
      FROM (
        SELECT
          eventid, unnest(json_get_array(requestparameters, 'advancedEventSelectors')) AS selector
        FROM calls
        WHERE eventname = 'PutEventSelectors' AND ok
      )
    )
  )
),
advanced AS (
  SELECT
    eventid,
    bool_or(management) AS management,
    bool_or(management AND NOT narrowed)
      -- One selector for reads and one for writes are both.
      OR bool_or(management AND reads) AND bool_or(management AND writes) AS all_kinds,
    bool_or(management AND NOT narrowed AND NOT excludes)
      OR bool_or(management AND reads AND NOT excludes)
        AND bool_or(management AND writes AND NOT excludes) AS whole
  FROM (
    SELECT
      eventid,
      place,
      bool_or(name = 'eventcategory' AND equal LIKE '%management%') AS management,
      -- CloudTrail offers to leave out two busy services; anything else is no saving of money.
      bool_or(name NOT IN ('eventcategory', 'eventsource')
        OR name = 'eventsource' AND (equal <> '' OR NOT regexp_like(
          field, '(?i)"notEquals":\s*\[[\s,"]*((kms|rdsdata)\.amazonaws\.com[\s,"]*)+\]'))
      ) AS narrowed,
      bool_or(name = 'readonly' AND equal LIKE '%true%') AS reads,
      bool_or(name = 'readonly' AND equal LIKE '%false%') AS writes,
      bool_or(name = 'eventsource' AND equal = '') AS excludes
    FROM fields
    GROUP BY eventid, place
  )
  GROUP BY eventid
),
selections AS (
  SELECT
    eventid,
    loss,
    lag(loss) OVER (PARTITION BY trail_arn ORDER BY eventtime, eventid) AS former_loss
  FROM (
    SELECT
      trails.eventid,
      trails.eventtime,
      trails.trail_arn,
      CASE
        WHEN NOT coalesce(plain.management, false) AND NOT coalesce(advanced.management, false)
          THEN 3
        WHEN NOT coalesce(plain.all_kinds, false) AND NOT coalesce(advanced.all_kinds, false) THEN 2
        WHEN NOT coalesce(plain.whole, false) AND NOT coalesce(advanced.whole, false) THEN 1
        ELSE 0
      END AS loss
    FROM trails
    LEFT JOIN plain ON plain.eventid = trails.eventid
    LEFT JOIN advanced ON advanced.eventid = trails.eventid
    WHERE trails.eventname = 'PutEventSelectors' AND trails.ok
  )
),
-- Every effect with its weight: 2 low, 3 medium, 4 high, 5 critical.
trail_effects AS (
  SELECT
    trails.*,
    CASE WHEN eventname IN ('StopLogging', 'DeleteTrail', 'UpdateTrail')
        AND (ever_of_organization OR coalesce(was_multi_region, '') = 'true'
          OR ever_multi_region AND was_multi_region IS NULL) THEN 1 ELSE 0 END AS wider,
    array_compact(CASE eventname
      WHEN 'StopLogging' THEN make_array(named_struct('what', 'logging stopped', 'weight', 4))
      WHEN 'DeleteTrail' THEN make_array(named_struct('what', 'the trail deleted', 'weight', 4))
      WHEN 'StopEventDataStoreIngestion' THEN
        make_array(named_struct('what', 'the event data store stopped', 'weight', 4))
      WHEN 'DeleteEventDataStore' THEN
        make_array(named_struct('what', 'the event data store deleted', 'weight', 4))
      WHEN 'DeleteServiceLinkedChannel' THEN
        make_array(named_struct('what', 'a channel of a service deleted', 'weight', 4))
      WHEN 'PutInsightSelectors' THEN make_array(
        CASE WHEN n_insights = 0 THEN
          named_struct('what', 'Insights emptied', 'weight', CASE
            WHEN had_insights > 0 THEN 4
            WHEN had_insights = 0 OR born_at IS NOT NULL THEN 1
            ELSE 2
          END) END)
      WHEN 'PutEventSelectors' THEN make_array(CASE loss
        WHEN 3 THEN named_struct('what', 'no management events any more', 'weight', 5)
        WHEN 2 THEN named_struct('what', 'only some kinds of management events', 'weight', 4)
        WHEN 1 THEN named_struct('what', 'management events of some services left out', 'weight', 3)
      END)
      WHEN 'UpdateTrail' THEN make_array(
        CASE WHEN lower(json_as_text(requestparameters, 'isMultiRegionTrail')) = 'false'
            AND was_multi_region IS DISTINCT FROM 'false'
          THEN named_struct('what', 'one Region only', 'weight', 4) END,
        CASE WHEN lower(json_as_text(requestparameters, 'includeGlobalServiceEvents')) = 'false'
            AND was_global IS DISTINCT FROM 'false'
          THEN named_struct('what', 'no events of IAM and other global services', 'weight', 4) END,
        CASE WHEN lower(json_as_text(requestparameters, 'enableLogFileValidation')) = 'false'
            AND was_validated IS DISTINCT FROM 'false'
          THEN named_struct('what', 'no validation of log files', 'weight', 4) END,
        CASE WHEN json_get_str(requestparameters, 's3BucketName') <> was_bucket
          THEN named_struct(
            'what', 'another bucket, ' || bucket || ' for ' || was_bucket, 'weight', 4) END,
        -- The console names the bucket even where it stays the same.
        CASE WHEN json_get_str(requestparameters, 's3BucketName') IS NOT NULL AND was_bucket IS NULL
          THEN named_struct('what', 'the bucket set to ' || bucket, 'weight', 2) END,
        CASE WHEN json_get_str(requestparameters, 'kmsKeyId') = '' AND was_key IS DISTINCT FROM ''
          THEN named_struct('what', 'no key of its own', 'weight', 4) END,
        CASE WHEN json_get_str(requestparameters, 'kmsKeyId') <> ''
            AND kms_key <> '' AND was_key <> '' AND split_part(kms_key, '/', -1)
              <> split_part(was_key, '/', -1)
          THEN named_struct('what', 'another key', 'weight', 4) END,
        CASE WHEN json_get_str(requestparameters, 'cloudWatchLogsLogGroupArn') = ''
          THEN named_struct('what', 'no delivery to CloudWatch Logs', 'weight', 4) END)
    END) AS effects,
    former_loss >= loss AS as_before
  FROM trails
  LEFT JOIN selections ON selections.eventid = trails.eventid
  WHERE trails.eventname <> 'CreateTrail'
),
unnested AS (
  SELECT
    trail_effects.* EXCEPT (effects),
    unnest(effects) AS effect
  FROM trail_effects
  WHERE ok AND cardinality(effects) > 0
),
trail_findings AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname,
    trail_arn AS subject, trail_arn, ok AS done, iac_hint, access_key_id,
    array_agg(effect['what'] ORDER BY effect['what']) AS effects,
    CASE
      -- What a trail is made with, or had before, takes nothing away.
      WHEN bool_or(eventname = 'PutEventSelectors' AND coalesce(as_before, false)) THEN 2
      WHEN bool_or(eventname IN ('PutEventSelectors', 'UpdateTrail')
        AND born_by = actor AND born_with IS NOT DISTINCT FROM useragent
        AND to_unixtime(eventtime) - to_unixtime(born_at) <= 60 * $newborn_minutes) THEN 2
      WHEN bool_or(iac_hint AND born_by = actor
        AND to_unixtime(eventtime) - to_unixtime(born_at) <= 3600 * $test_trail_hours) THEN 2
      ELSE max(effect['weight']) + max(CASE WHEN effect['weight'] >= 4 THEN wider ELSE 0 END)
    END AS weight
  FROM unnested
  GROUP BY
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname,
    trail_arn, ok, iac_hint, access_key_id
),
-- Refused is medium. A call that failed otherwise, as on a trail that is not there, is low.
attempts AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname,
    coalesce(trail_arn, subject, 'trails of ' || account) AS subject, trail_arn, ok AS done,
    iac_hint, access_key_id,
    make_array(eventname || CASE WHEN denied THEN ' refused' ELSE ' failed' END) AS effects,
    CASE WHEN denied THEN 3 ELSE 2 END AS weight
  FROM trails
  WHERE NOT ok
    AND (eventname IN (
        'StopLogging', 'DeleteTrail', 'StopEventDataStoreIngestion', 'DeleteEventDataStore',
        'DeleteServiceLinkedChannel')
      OR denied AND eventname IN ('UpdateTrail', 'PutEventSelectors'))
),
-- Where trails put their files, as trails say, as CloudTrail's own calls show, and by their names.
stores AS (
  SELECT place, min(known_at) AS known_at, min(made_at) AS made_at
  FROM (
    SELECT
      unnest(make_array(bucket, split_part(kms_key, '/', -1))) AS place,
      eventtime AS known_at,
      CASE WHEN eventname = 'CreateTrail' THEN eventtime END AS made_at
    FROM trail_calls
    WHERE ok
    UNION ALL
    SELECT
      CASE eventsource
        WHEN 's3.amazonaws.com' THEN json_get_str(requestparameters, 'bucketName')
        ELSE split_part(
          coalesce(
            resource_arn(resources, 'AWS::KMS::Key'), json_get_str(requestparameters, 'keyId')),
          '/', -1)
      END,
      eventtime,
      NULL
    FROM cloudtrail
    WHERE eventsource IN ('s3.amazonaws.com', 'kms.amazonaws.com')
      AND useridentity.invokedby = 'cloudtrail.amazonaws.com'
      AND useridentity.type = 'AWSService'
    UNION ALL
    -- The consoles' own names say it where the trail was made before the records begin.
    SELECT json_get_str(requestparameters, 'bucketName'), eventtime, NULL
    FROM calls
    WHERE eventsource = 's3.amazonaws.com'
      AND regexp_like(
        json_get_str(requestparameters, 'bucketName'),
        '^aws-(cloudtrail|controltower)-logs-')
  )
  WHERE place <> ''
  GROUP BY place
),
store_calls AS (
  SELECT
    calls.*,
    CASE eventsource
      WHEN 's3.amazonaws.com' THEN json_get_str(requestparameters, 'bucketName')
      ELSE split_part(coalesce(
        json_get_str(responseelements, 'keyId'), json_get_str(requestparameters, 'keyId')), '/', -1)
    END AS place,
    lower(coalesce(
      json_as_text(requestparameters, 'bucketPolicy'),
      json_as_text(requestparameters, 'policy'))) AS bucket_policy,
    try_cast(regexp_extract(
      CAST(requestparameters AS VARCHAR),
      '(?i)"expiration"\s*:\s*\{[^}]*"days"\s*:\s*"?([0-9]+)', 1) AS BIGINT) AS kept_days
  FROM calls
  WHERE eventsource IN ('s3.amazonaws.com', 'kms.amazonaws.com')
),
store_findings AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname,
    CASE eventsource
      WHEN 's3.amazonaws.com' THEN 'arn:' || aws || ':s3:::' || store_calls.place
      ELSE 'arn:' || aws || ':kms:' || awsregion || ':' || account || ':key/' || store_calls.place
    END AS subject,
    CAST(NULL AS VARCHAR) AS trail_arn, ok AS done, iac_hint, access_key_id,
    make_array(CASE eventname
      WHEN 'DeleteBucket' THEN 'the bucket of a trail deleted'
      WHEN 'DeleteBucketPolicy' THEN 'the policy of a trail''s bucket deleted'
      WHEN 'PutBucketPolicy' THEN 'a policy without CloudTrail on a trail''s bucket'
      WHEN 'DisableKey' THEN 'the key of a trail disabled'
      WHEN 'ScheduleKeyDeletion' THEN 'the key of a trail to be deleted'
      ELSE 'files of a trail kept for ' || CAST(kept_days AS VARCHAR) || ' days only'
    END) AS effects,
    CASE
      WHEN iac_hint AND stores.made_at = stores.known_at
        AND to_unixtime(eventtime) - to_unixtime(stores.made_at) <= 3600 * $test_trail_hours THEN 2
      WHEN ok THEN 4
      ELSE 3
    END AS weight
  FROM store_calls
  JOIN stores ON stores.place = store_calls.place AND stores.known_at <= store_calls.eventtime
  WHERE (ok OR denied)
    AND (eventname IN ('DeleteBucket', 'DeleteBucketPolicy', 'DisableKey', 'ScheduleKeyDeletion')
      OR eventname = 'PutBucketPolicy' AND bucket_policy NOT LIKE '%cloudtrail.amazonaws.com%'
      OR eventname LIKE 'PutBucketLifecycle%' AND kept_days < $min_retention_days)
),
organization_findings AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname,
    'organization of ' || account AS subject,
    CAST(NULL AS VARCHAR) AS trail_arn, ok AS done, iac_hint, access_key_id,
    make_array(CASE eventname
      WHEN 'LeaveOrganization' THEN 'the organization left'
      ELSE 'CloudTrail''s access to the organization withdrawn'
    END) AS effects,
    CASE WHEN ok THEN 4 ELSE 3 END AS weight
  FROM calls
  WHERE eventsource = 'organizations.amazonaws.com'
    AND (ok OR denied)
    AND (eventname = 'LeaveOrganization'
      OR json_get_str(requestparameters, 'servicePrincipal') = 'cloudtrail.amazonaws.com')
),
-- Runs of busy hours: within one, the hour less its number stays the same.
hours AS (
  SELECT
    recipientaccountid,
    awsregion,
    to_unixtime(date_trunc('hour', eventtime)) / 3600 AS hour,
    max(eventtime) AS last_time
  FROM cloudtrail
  WHERE recipientaccountid IS NOT NULL AND awsregion IS NOT NULL AND eventtime IS NOT NULL
  GROUP BY recipientaccountid, awsregion, to_unixtime(date_trunc('hour', eventtime)) / 3600
),
runs AS (
  SELECT
    recipientaccountid,
    awsregion,
    max(last_time) AS last_time,
    count(*) AS n_hours,
    lead(min(hour)) OVER (PARTITION BY recipientaccountid, awsregion ORDER BY min(hour))
      AS next_hour,
    max(hour) AS last_hour
  FROM (
    SELECT
      *,
      hour - row_number() OVER (PARTITION BY recipientaccountid, awsregion ORDER BY hour) AS run
    FROM hours
  )
  GROUP BY recipientaccountid, awsregion, run
),
silences AS (
  SELECT
    runs.*,
    coalesce(runs.next_hour, to_unixtime(ends.ended_at) / 3600) - runs.last_hour - 1 AS n_silent,
    -- Where the whole account ends, its files may just not be here.
    runs.next_hour IS NOT NULL OR accounts.last_time > runs.last_time AS goes_on
  FROM runs
  CROSS JOIN (SELECT max(last_time) AS ended_at FROM recorded) AS ends
  JOIN recorded AS accounts ON accounts.account = runs.recipientaccountid
  WHERE runs.n_hours >= $busy_hours
),
silence_findings AS (
  SELECT
    silences.last_time AS eventtime,
    min(events.eventid) AS eventid,
    silences.recipientaccountid,
    silences.awsregion,
    CAST(NULL AS VARCHAR) AS actor,
    CAST(NULL AS VARCHAR) AS sourceipaddress,
    min(events.eventname) AS eventname,
    silences.awsregion || ' in ' || silences.recipientaccountid AS subject,
    CAST(NULL AS VARCHAR) AS trail_arn,
    true AS done,
    false AS iac_hint,
    CAST(NULL AS VARCHAR) AS access_key_id,
    make_array('fell silent after a week with events every hour') AS effects,
    CASE WHEN silences.goes_on THEN 3 ELSE 2 END AS weight
  FROM silences
  JOIN cloudtrail AS events
    ON events.recipientaccountid = silences.recipientaccountid
    AND events.awsregion = silences.awsregion
    AND events.eventtime = silences.last_time
  WHERE silences.n_silent >= $silent_hours
  GROUP BY
    silences.last_time, silences.recipientaccountid, silences.awsregion, silences.goes_on
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  subject,
  array_element(
    make_array('info', 'low', 'medium', 'high', 'critical'),
    CAST(least(5, weight) - CASE WHEN iac_hint AND weight > 2 THEN 1 ELSE 0 END AS BIGINT)
  ) AS severity,
  CASE WHEN trail_arn LIKE '%:trail/%' THEN trail_arn END AS trail_arn,
  CASE WHEN trail_arn LIKE '%:trail/%' THEN split_part(trail_arn, '/', -1) END AS trail_name,
  done,
  effects,
  access_key_id
FROM (
  SELECT * FROM trail_findings
  UNION ALL
  SELECT * FROM attempts
  UNION ALL
  SELECT * FROM store_findings
  UNION ALL
  SELECT * FROM organization_findings
  UNION ALL
  SELECT * FROM silence_findings
)
