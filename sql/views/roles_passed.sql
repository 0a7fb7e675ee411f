-- Roles handed to compute and to services: one row for each granted call and role.
--
-- `iam:PassRole` writes no event, so the role is read out of the call that took it. `passed_role_arn` is
-- NULL where the call names an instance profile that the evidence does not resolve (`instance_profile`
-- then says which); a bare role name is completed with the account. `service` is who gets the role, and
-- `resource` what it is given to.
WITH handed AS (
  SELECT
    *,
    unnest(array_distinct(make_array(
      json_get_str(requestparameters, 'role'),
      json_get_str(requestparameters, 'Role'),
      json_get_str(requestparameters, 'roleArn'),
      json_get_str(requestparameters, 'roleARN'),
      json_get_str(requestparameters, 'RoleArn'),
      json_get_str(requestparameters, 'iamRoleArn'),
      json_get_str(requestparameters, 'serviceRole'),
      json_get_str(requestparameters, 'serviceRoleArn'),
      json_get_str(requestparameters, 'taskRoleArn'),
      json_get_str(requestparameters, 'executionRoleArn'),
      json_get_str(requestparameters, 'administrationRoleARN'),
      json_get_str(requestparameters, 'jobRoleArn'),
      json_get_str(requestparameters, 'jobFlowRole'),
      json_get_str(requestparameters, 'overrides', 'taskRoleArn'),
      json_get_str(requestparameters, 'overrides', 'executionRoleArn'),
      json_get_str(requestparameters, 'instanceConfiguration', 'instanceRoleArn'),
      json_get_str(requestparameters, 'target', 'roleArn'),
      json_get_str(requestparameters, 'targets', 0, 'roleArn'),
      json_get_str(requestparameters, 'targets', 1, 'roleArn'),
      json_get_str(requestparameters, 'targets', 2, 'roleArn'),
      json_get_str(requestparameters, 'targets', 3, 'roleArn'),
      json_get_str(requestparameters, 'targets', 4, 'roleArn'),
      json_get_str(requestparameters, 'pipeline', 'roleArn'),
      json_get_str(requestparameters, 'jobUpdate', 'role'),
      json_get_str(requestparameters, 'containerProperties', 'jobRoleArn'),
      json_get_str(requestparameters, 'parameters', 'AutomationAssumeRole', 0),
      json_get_str(requestparameters, 'roles', 'authenticated'),
      json_get_str(requestparameters, 'roles', 'unauthenticated'),
      CASE WHEN eventname = 'AddRoleToInstanceProfile'
        THEN json_get_str(requestparameters, 'roleName') END,
      json_get_str(requestparameters, 'iamInstanceProfile', 'arn'),
      json_get_str(requestparameters, 'iamInstanceProfile', 'name'),
      json_get_str(requestparameters, 'IamInstanceProfile', 'Arn'),
      json_get_str(requestparameters, 'IamInstanceProfile', 'Name'),
      json_get_str(
        requestparameters, 'AssociateIamInstanceProfileRequest', 'IamInstanceProfile', 'Name'),
      json_get_str(
        requestparameters, 'AssociateIamInstanceProfileRequest', 'IamInstanceProfile', 'Arn'),
      json_get_str(
        requestparameters, 'ReplaceIamInstanceProfileAssociationRequest', 'IamInstanceProfile', 'Name'),
      json_get_str(
        requestparameters, 'ReplaceIamInstanceProfileAssociationRequest', 'IamInstanceProfile', 'Arn'),
      json_get_str(requestparameters, 'iamInstanceProfile'),
      json_get_str(requestparameters, 'launchSpecification', 'iamInstanceProfile', 'arn'),
      json_get_str(requestparameters, 'launchSpecification', 'iamInstanceProfile', 'name'),
      json_get_str(
        requestparameters, 'launchTemplateData', 'iamInstanceProfile', 'arn'),
      json_get_str(
        requestparameters, 'launchTemplateData', 'iamInstanceProfile', 'name'),
      json_get_str(
        requestparameters, 'CreateLaunchTemplateVersionRequest', 'LaunchTemplateData',
        'IamInstanceProfile', 'Name'),
      json_get_str(
        requestparameters, 'CreateLaunchTemplateVersionRequest', 'LaunchTemplateData',
        'IamInstanceProfile', 'Arn')
    ))) AS handed
  FROM activity
  WHERE ok
    AND NOT (useridentity.type IS NOT NULL AND useridentity.type = 'AWSService')
    AND (
      eventsource = 'ec2.amazonaws.com' AND eventname IN (
        'RunInstances', 'RequestSpotInstances', 'AssociateIamInstanceProfile',
        'ReplaceIamInstanceProfileAssociation', 'CreateLaunchTemplate', 'CreateLaunchTemplateVersion')
      OR eventsource = 'iam.amazonaws.com' AND eventname = 'AddRoleToInstanceProfile'
      OR eventsource = 'lambda.amazonaws.com'
        AND (eventname LIKE 'CreateFunction2%' OR eventname LIKE 'UpdateFunctionConfiguration2%')
      OR eventsource = 'cloudformation.amazonaws.com' AND eventname IN (
        'CreateStack', 'UpdateStack', 'CreateChangeSet', 'CreateStackSet', 'UpdateStackSet')
      OR eventsource = 'ecs.amazonaws.com' AND eventname IN (
        'RegisterTaskDefinition', 'RunTask', 'StartTask')
      OR eventsource = 'codebuild.amazonaws.com' AND eventname IN ('CreateProject', 'UpdateProject')
      OR eventsource = 'glue.amazonaws.com' AND eventname IN (
        'CreateDevEndpoint', 'CreateJob', 'UpdateJob', 'CreateCrawler', 'CreateSession')
      OR eventsource = 'sagemaker.amazonaws.com' AND eventname IN (
        'CreateNotebookInstance', 'CreateTrainingJob', 'CreateProcessingJob', 'CreateModel',
        'CreateAutoMLJob', 'CreateDomain', 'CreateUserProfile')
      OR eventsource = 'states.amazonaws.com' AND eventname IN (
        'CreateStateMachine', 'UpdateStateMachine')
      OR eventsource IN ('events.amazonaws.com', 'scheduler.amazonaws.com', 'pipes.amazonaws.com')
        AND eventname IN (
          'PutTargets', 'PutRule', 'CreateSchedule', 'UpdateSchedule', 'CreatePipe', 'UpdatePipe')
      OR eventsource = 'apprunner.amazonaws.com' AND eventname IN ('CreateService', 'UpdateService')
      OR eventsource = 'codepipeline.amazonaws.com' AND eventname IN (
        'CreatePipeline', 'UpdatePipeline')
      OR eventsource = 'iot.amazonaws.com' AND eventname IN ('CreateRoleAlias', 'UpdateRoleAlias')
      OR eventsource = 'cognito-identity.amazonaws.com' AND eventname = 'SetIdentityPoolRoles'
      OR eventsource LIKE 'bedrock%' AND eventname IN (
        'CreateCodeInterpreter', 'CreateAgentRuntime', 'CreateAgent')
      OR eventsource IN ('elasticmapreduce.amazonaws.com', 'emr-serverless.amazonaws.com',
          'batch.amazonaws.com', 'autoscaling.amazonaws.com', 'datapipeline.amazonaws.com',
          'imagebuilder.amazonaws.com', 'cloud9.amazonaws.com', 'ssm.amazonaws.com')
        AND eventname IN (
          'RunJobFlow', 'StartJobRun', 'CreateJobQueue', 'RegisterJobDefinition',
          'CreateLaunchConfiguration', 'CreateInfrastructureConfiguration',
          'StartAutomationExecution', 'RegisterTaskWithMaintenanceWindow'))
),
-- The latest role of each profile; the console gives role and profile one name.
profiles AS (
  SELECT
    account,
    profile,
    last_value(role_name ORDER BY eventtime, eventid) AS role_name
  FROM (
    SELECT
      eventtime,
      eventid,
      recipientaccountid AS account,
      json_get_str(requestparameters, 'instanceProfileName') AS profile,
      json_get_str(requestparameters, 'roleName') AS role_name
    FROM activity
    WHERE eventsource = 'iam.amazonaws.com' AND eventname = 'AddRoleToInstanceProfile' AND ok
  )
  GROUP BY account, profile
),
named AS (
  SELECT
    handed.*,
    CASE
      WHEN arn_resource(handed) LIKE 'instance-profile/%' THEN split_part(handed, '/', -1)
      WHEN eventsource IN ('ec2.amazonaws.com', 'autoscaling.amazonaws.com')
        AND handed NOT LIKE 'arn:%' THEN handed
    END AS instance_profile
  FROM handed
)
SELECT
  named.* EXCEPT (handed),
  CASE
    WHEN named.instance_profile IS NOT NULL THEN
      'arn:aws:iam::' || named.recipientaccountid || ':role/'
        || profiles.role_name
    WHEN named.handed LIKE 'arn:%' THEN named.handed
    ELSE 'arn:aws:iam::' || named.recipientaccountid || ':role/' || named.handed
  END AS passed_role_arn,
  split_part(named.eventsource, '.', 1) AS service,
  coalesce(
    json_get_str(named.requestparameters, 'functionName'),
    json_get_str(named.requestparameters, 'stackName'),
    json_get_str(named.requestparameters, 'name'),
    json_get_str(named.requestparameters, 'family'),
    json_get_str(named.requestparameters, 'instanceProfileName'),
    json_get_str(named.responseelements, 'instancesSet', 'items', 0, 'instanceId')
  ) AS resource
FROM named
LEFT JOIN profiles
  ON profiles.account = named.recipientaccountid AND profiles.profile = named.instance_profile
WHERE named.handed IS NOT NULL
