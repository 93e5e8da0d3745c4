"""Synthesized stacks, with every reference resolved to what it would be once deployed."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template

from cdk_app.app_stacks import add_checks, add_stacks
from cdk_app.compute_stack import ComputeStack
from cdk_app.data_stack import DataStack
from cdk_app.serverless_stack import ServerlessStack

ACCOUNT = "111122223333"
STACKS = ("FruitsData", "FruitsCompute", "FruitsServerless")
PSEUDO = {"AWS::Partition": "aws", "AWS::AccountId": ACCOUNT, "AWS::Region": "eu-central-1"}
NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
ASSETS_BUCKET = f"cdk-hnb659fds-assets-{ACCOUNT}-eu-central-1"


def new_app(outdir: Path, context: dict[str, Any]) -> App:
    return App(context=context, outdir=str(outdir), analytics_reporting=False)


@dataclass(frozen=True)
class Stack:
    """One template.  ``exports`` are those of the stacks before it, resolved."""

    name: str
    template: dict[str, Any]
    exports: dict[str, Any]

    def resources(self, kind: str) -> dict[str, Any]:
        """Return the resolved properties of each resource of a type, by logical id."""
        return {
            logical_id: self.resolve(resource.get("Properties", {}))
            for logical_id, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }

    def only(self, kind: str) -> Any:
        """Return the resolved properties of the one resource of a type."""
        (properties,) = self.resources(kind).values()
        return properties

    def of(self, logical_id: str) -> dict[str, Any]:
        return self.template["Resources"][logical_id]

    def parameter(self, name: str) -> dict[str, Any]:
        """Return a parameter by the name of its construct."""
        parameters = self.resources("AWS::SSM::Parameter")
        (found,) = (key for key in parameters if re.fullmatch(rf"{name}[0-9A-F]{{8}}", key))
        return parameters[found]

    def policy_of(self, role: str) -> list[dict[str, Any]]:
        """Return the statements of the policies attached to a role, by its logical id."""
        policies = self.resources("AWS::IAM::Policy").values()
        return [
            statement
            for policy in policies
            if role in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def outputs(self) -> dict[str, Any]:
        return {name: self.resolve(o["Value"]) for name, o in self.template["Outputs"].items()}

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.resolve(each) for each in value]
        if not isinstance(value, dict):
            return value
        match list(value.items()):
            case [("Ref", "AWS::StackId")]:
                return f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/{self.name}/id"
            case [("Ref", name)]:
                return PSEUDO.get(name) or self._physical_name(name)
            case [("Fn::GetAtt", [name, attribute])]:
                return self._attribute(name, attribute)
            case [("Fn::ImportValue", name)]:
                return self.exports[name]
            case [("Fn::Join", [separator, parts])]:
                return separator.join(self.resolve(parts))
            case [("Fn::Sub", str(text))]:
                return re.sub(r"\$\{(.*?)\}", lambda found: PSEUDO[found[1]], text)
        assert not any(key.startswith("Fn::") for key in value), value
        return {key: self.resolve(each) for key, each in value.items()}

    def _physical_name(self, logical_id: str) -> str:
        resource = self.of(logical_id)
        if resource["Type"] == "AWS::S3::Bucket":
            # The form that CloudFormation gives it, and its length.
            return f"{self.name}-{logical_id.lower()}-{'x' * 12}"
        if resource["Type"] == "AWS::SSM::Parameter":
            return resource["Properties"]["Name"]
        if resource["Type"] == "AWS::SNS::Topic":
            return f"arn:aws:sns:eu-central-1:{ACCOUNT}:{logical_id}"
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            name = resource["Properties"]["StateMachineName"]
            return f"arn:aws:states:eu-central-1:{ACCOUNT}:stateMachine:{name}"
        return logical_id

    def _attribute(self, logical_id: str, attribute: str) -> str:
        if attribute in ("GroupId", "ApplicationId"):
            return logical_id
        assert attribute == "Arn", attribute
        name = self._physical_name(logical_id)
        match self.of(logical_id)["Type"]:
            case "AWS::S3::Bucket":
                return f"arn:aws:s3:::{name}"
            case "AWS::KMS::Key":
                return f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/{name}"
            case "AWS::IAM::Role":
                return f"arn:aws:iam::{ACCOUNT}:role/{name}"
            case "AWS::StepFunctions::StateMachine":
                return name
            case "AWS::EMRServerless::Application":
                return f"arn:aws:emr-serverless:eu-central-1:{ACCOUNT}:/applications/{name}"
            case "AWS::Logs::LogGroup":
                return f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:{name}:*"
        raise AssertionError(f"no ARN for {logical_id}")


@dataclass(frozen=True)
class Synthesis:
    """What `cdk synth` leaves in a folder.  ``constructs`` are its stacks."""

    folder: Path
    constructs: tuple[DataStack, ComputeStack, ServerlessStack]

    @cached_property
    def data(self) -> Stack:
        return Stack(self.constructs[0].stack_name, self._template("FruitsData"), {})

    @cached_property
    def compute(self) -> Stack:
        return self._stack_on_data(1, "FruitsCompute")

    @cached_property
    def serverless(self) -> Stack:
        return self._stack_on_data(2, "FruitsServerless")

    def _stack_on_data(self, index: int, name: str) -> Stack:
        exports = {
            output["Export"]["Name"]: self.data.resolve(output["Value"])
            for output in self.data.template["Outputs"].values()
            if "Export" in output
        }
        return Stack(self.constructs[index].stack_name, self._template(name), exports)

    @cached_property
    def data_template(self) -> Template:
        return Template.from_json(self.data.template)

    @cached_property
    def compute_template(self) -> Template:
        return Template.from_json(self.compute.template)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "manifest.json").read_text())

    @cached_property
    def metadata(self) -> dict[str, list[dict[str, Any]]]:
        """What the constructs of the stacks say of themselves, by their path."""
        return {
            path: entries
            for name in STACKS
            for path, entries in json.loads(
                (self.folder / f"{name}.metadata.json").read_text()
            ).items()
        }

    def asset(self, uri: str, stack: str = "FruitsCompute") -> Path:
        """Return the file or folder that is uploaded to a URI with a stack."""
        manifest = json.loads((self.folder / f"{stack}.assets.json").read_text())
        (source,) = (
            file["source"]["path"]
            for file in manifest["files"].values()
            for place in file["destinations"].values()
            if uri
            == self.compute.resolve({"Fn::Sub": f"s3://{place['bucketName']}/{place['objectKey']}"})
        )
        return self.folder / source

    def template_files(self) -> list[Path]:
        return [self.folder / f"{name}.template.json" for name in STACKS]

    def _template(self, name: str) -> dict[str, Any]:
        return json.loads((self.folder / f"{name}.template.json").read_text())


def synthesize(outdir: Path, context: dict[str, Any], *, checked: bool = False) -> Synthesis:
    """Do what app.py does, in this process; ``checked`` with cdk-nag, which takes longer."""
    app = new_app(outdir, context)
    stacks = add_stacks(app, now=NOW)
    if checked:
        add_checks(app)
    app.synth()
    return Synthesis(outdir, stacks)
