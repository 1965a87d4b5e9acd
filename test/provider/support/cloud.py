"""An account for the Terraform provider: moto's server, with what AWS does and moto does not.

usage: cloud.py PORT

Each repair names what AWS does and where that is written; nothing here knows the project.
"""

import sys
from collections import defaultdict
from threading import Lock
from typing import ClassVar
from xml.etree import ElementTree

from moto.awslambda.models import LambdaFunction
from moto.batch.models import BatchBackend, JobQueue
from moto.batch.responses import BatchResponse
from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidPermissionNotFoundError
from moto.ec2.responses.security_groups import SecurityGroups
from moto.iam.access_control import PermissionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response
from moto.sagemaker.responses import SageMakerResponse
from moto.server import main
from moto.stepfunctions.responses import StepFunctionResponse

BATCH_ROLE = "AWSServiceRoleForBatch"


def validate_state_machine_definition(_response):
    """The provider asks before it creates a machine (Step Functions API reference, ValidateStateMachineDefinition).

    The project's own analysis judges definitions; here every one is well.
    """
    return 200, {}, '{"result": "OK", "diagnostics": []}'


def list_state_machine_versions(_response):
    """No version was published (Step Functions API reference, ListStateMachineVersions)."""
    return 200, {}, '{"stateMachineVersions": []}'


def revoke_default_egress(original):
    """AWS makes an egress rule with every group of a VPC, which the provider takes away; moto does not find its own."""

    def revoke(self):
        try:
            return original(self)
        except InvalidPermissionNotFoundError:
            return ActionResult({"Return": True})

    return revoke


def with_service_linked_role(original):
    """Batch makes and takes its service-linked role where no other is named (API reference,
    CreateComputeEnvironment).
    """

    def create(self, **request):
        if not request["service_role"]:
            request["service_role"] = batch_role(iam_backends[self.account_id][self.partition])
        return original(self, **request)

    return create


def batch_role(iam):
    try:
        return iam.get_role(BATCH_ROLE).arn
    except NotFoundException:
        return iam.create_role(BATCH_ROLE, "{}", "/", None, "", [], 3600).arn


class FunctionSettings:
    """What GetFunction answers of LoggingConfig, which moto forgets, and of KMSKeyArn.

    The key is one for variables: of a function without them AWS gives none back
    (hashicorp/terraform-provider-aws#6366).
    """

    make = LambdaFunction.__init__
    change = LambdaFunction.update_configuration
    show = LambdaFunction.get_configuration

    @staticmethod
    def made(function, account_id, spec, *rest, **more):
        FunctionSettings.make(function, account_id, spec, *rest, **more)
        function.logging = spec.get("LoggingConfig")

    @staticmethod
    def changed(function, config_updates):
        function.logging = config_updates.get("LoggingConfig", function.logging)
        function.kms_key_arn = config_updates.get("KMSKeyArn", function.kms_key_arn)
        return FunctionSettings.change(function, config_updates)

    @staticmethod
    def shown(function, *rest, **more):
        configuration = FunctionSettings.show(function, *rest, **more)
        if function.logging:
            configuration["LoggingConfig"] = function.logging
        if not configuration.get("Environment", {}).get("Variables"):
            configuration.pop("KMSKeyArn", None)
        return configuration


def with_event_bridge(original):
    """S3 gives back that a bucket sends its events to EventBridge (API reference, NotificationConfiguration)."""

    def get(self):
        status, headers, body = original(self)
        notification = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if notification is None or notification.event_bridge is None:
            return status, headers, body
        root = ElementTree.fromstring(body)
        namespace = root.tag.removesuffix("NotificationConfiguration")
        ElementTree.SubElement(root, f"{namespace}EventBridgeConfiguration")
        return status, headers, ElementTree.tostring(root, encoding="unicode")

    return get


def delete_model_package_group(response):
    """AWS deletes a group that holds no versions (SageMaker API reference, DeleteModelPackageGroup)."""
    name = response._get_param("ModelPackageGroupName")
    response.sagemaker_backend.model_package_groups.pop(name, None)
    return "{}"


class TimeLimits:
    """AWS keeps a queue's time limits by state and describes them (Batch API, JobQueueDetail); moto has none."""

    made_anew = BatchResponse.createjobqueue
    changed_to = BatchResponse.updatejobqueue
    described = JobQueue.describe

    @staticmethod
    def keep(response, name):
        actions = response._get_param("jobStateTimeLimitActions")
        if actions is not None:
            response.batch_backend.get_job_queue(name).time_limits = actions

    @staticmethod
    def made(response):
        answer = TimeLimits.made_anew(response)
        TimeLimits.keep(response, response._get_param("jobQueueName"))
        return answer

    @staticmethod
    def changed(response):
        answer = TimeLimits.changed_to(response)
        TimeLimits.keep(response, response._get_param("jobQueue"))
        return answer

    @staticmethod
    def shown(queue):
        return {**TimeLimits.described(queue), "jobStateTimeLimitActions": getattr(queue, "time_limits", [])}


class Repetitions:
    """What was answered to a request, for the client that did not get the answer.

    AWS's SDKs repeat a request whose connection broke, with the same `amz-sdk-invocation-id`; a busy machine breaks
    some. Made anew, what was made already would be a conflict.
    """

    dispatch = DomainDispatcherApplication.__call__
    answers: ClassVar[defaultdict[str, list]] = defaultdict(list)
    locks: ClassVar[defaultdict[str, Lock]] = defaultdict(Lock)

    @staticmethod
    def answer(application, environ, start_response):
        invocation = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
        if invocation is None or environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return Repetitions.dispatch(application, environ, start_response)
        with Repetitions.locks[invocation]:
            answer = Repetitions.answers[invocation]
            if not answer or not answer[0].startswith("2"):
                answer.clear()
                body = Repetitions.dispatch(application, environ, lambda *head, **_: answer.extend(head[:2]))
                answer.append(b"".join(body))
        status, headers, body = answer
        start_response(status, headers)
        return [body]


def repair():
    DomainDispatcherApplication.__call__ = Repetitions.answer
    StepFunctionResponse.validate_state_machine_definition = validate_state_machine_definition
    StepFunctionResponse.list_state_machine_versions = list_state_machine_versions
    SecurityGroups.revoke_security_group_egress = revoke_default_egress(SecurityGroups.revoke_security_group_egress)
    BatchBackend.create_compute_environment = with_service_linked_role(BatchBackend.create_compute_environment)
    BatchResponse.createjobqueue = TimeLimits.made
    BatchResponse.updatejobqueue = TimeLimits.changed
    JobQueue.describe = TimeLimits.shown
    # A bucket's policy refuses what does not come by TLS, and to this server nothing does.
    FakeBucket.get_permission = lambda _bucket, _action, _resource: PermissionResult.NEUTRAL
    S3Response.get_bucket_notification = with_event_bridge(S3Response.get_bucket_notification)
    LambdaFunction.__init__ = FunctionSettings.made
    LambdaFunction.update_configuration = FunctionSettings.changed
    LambdaFunction.get_configuration = FunctionSettings.shown
    SageMakerResponse.delete_model_package_group = delete_model_package_group


if __name__ == "__main__":
    repair()
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
