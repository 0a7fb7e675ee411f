-- Events under the names of the Elastic Common Schema, joined by `_`, as tools that normalize to it
-- lay out their tables (`matano.aws_cloudtrail_view`, fields of Filebeat's AWS module).
--
-- Columns that such tools add from other sources (places, networks, operating systems) are NULL here:
-- nothing is looked up.
SELECT
  eventtime AS ts,
  eventtime AS event_created,
  eventname AS event_action,
  eventsource AS event_provider,
  eventid AS event_id,
  'event' AS event_kind,
  'aws' AS event_module,
  'aws.cloudtrail' AS event_dataset,
  CASE
    WHEN errorcode IS NOT NULL OR errormessage IS NOT NULL THEN 'failure'
    WHEN eventname = 'ConsoleLogin' THEN lower(coalesce(responseelements ->> 'ConsoleLogin', 'success'))
    ELSE 'success'
  END AS event_outcome,
  'aws' AS cloud_provider,
  useridentity.accountid AS cloud_account_id,
  awsregion AS cloud_region,
  sourceipaddress AS source_address,
  CASE WHEN ip_network(sourceipaddress) IS NOT NULL THEN sourceipaddress END AS source_ip,
  CAST(NULL AS bigint) AS source_as_number,
  CAST(NULL AS varchar) AS source_as_organization_name,
  CAST(NULL AS varchar) AS source_geo_city_name,
  CAST(NULL AS varchar) AS source_geo_country_iso_code,
  CAST(NULL AS varchar) AS source_geo_country_name,
  CAST(NULL AS varchar) AS source_geo_region_name,
  useragent AS user_agent_original,
  CAST(NULL AS varchar) AS user_agent_name,
  CAST(NULL AS varchar) AS user_agent_os_name,
  coalesce(useridentity.sessioncontext.sessionissuer.username, useridentity.username) AS user_name,
  useridentity.principalid AS user_id,
  requestparameters ->> 'userName' AS user_target_name,
  requestparameters ->> 'newUserName' AS user_changes_name,
  requestparameters ->> 'groupName' AS group_name,
  errormessage AS error_message,
  eventversion AS aws_cloudtrail_event_version,
  eventtype AS aws_cloudtrail_event_type,
  eventcategory AS aws_cloudtrail_event_category,
  apiversion AS aws_cloudtrail_api_version,
  errorcode AS aws_cloudtrail_error_code,
  errormessage AS aws_cloudtrail_error_message,
  managementevent AS aws_cloudtrail_management_event,
  readonly AS aws_cloudtrail_read_only,
  requestid AS aws_cloudtrail_request_id,
  recipientaccountid AS aws_cloudtrail_recipient_account_id,
  sharedeventid AS aws_cloudtrail_shared_event_id,
  vpcendpointid AS aws_cloudtrail_vpc_endpoint_id,
  requestparameters AS aws_cloudtrail_flattened_request_parameters,
  responseelements AS aws_cloudtrail_flattened_response_elements,
  additionaleventdata AS aws_cloudtrail_flattened_additional_eventdata,
  serviceeventdetails AS aws_cloudtrail_flattened_service_event_details,
  useridentity.type AS aws_cloudtrail_user_identity_type,
  useridentity.arn AS aws_cloudtrail_user_identity_arn,
  useridentity.accesskeyid AS aws_cloudtrail_user_identity_access_key_id,
  useridentity.invokedby AS aws_cloudtrail_user_identity_invoked_by,
  useridentity.sessioncontext.attributes.mfaauthenticated
    AS aws_cloudtrail_user_identity_session_context_mfa_authenticated,
  useridentity.sessioncontext.attributes.creationdate
    AS aws_cloudtrail_user_identity_session_context_creation_date,
  useridentity.sessioncontext.sessionissuer.type
    AS aws_cloudtrail_user_identity_session_context_session_issuer_type,
  useridentity.sessioncontext.sessionissuer.principalid
    AS aws_cloudtrail_user_identity_session_context_session_issuer_principal_id,
  useridentity.sessioncontext.sessionissuer.arn
    AS aws_cloudtrail_user_identity_session_context_session_issuer_arn,
  useridentity.sessioncontext.sessionissuer.accountid
    AS aws_cloudtrail_user_identity_session_context_session_issuer_account_id
FROM cloudtrail
