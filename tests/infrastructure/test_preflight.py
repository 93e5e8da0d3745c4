"""What the preflight asks for, held against the templates that need it."""

from operations.preflight.account import BOOTSTRAP_VERSION
from operations.preflight.asking import BOOTSTRAP_PARAMETER
from operations.preflight.place import ENDPOINT_SERVICES


def test_the_version_of_the_bootstrap_is_the_one_that_the_templates_ask_for(made):
    needed = [
        artifact["properties"]["requiresBootstrapStackVersion"]
        for artifact in made.manifest["artifacts"].values()
        if "requiresBootstrapStackVersion" in artifact.get("properties", {})
    ]
    assert max(needed) == BOOTSTRAP_VERSION


def test_the_parameter_with_the_version_is_the_one_that_the_templates_name(made):
    parameters = {
        artifact["properties"]["bootstrapStackVersionSsmParameter"]
        for artifact in made.manifest["artifacts"].values()
        if "bootstrapStackVersionSsmParameter" in artifact.get("properties", {})
    }
    assert parameters == {BOOTSTRAP_PARAMETER}


def test_the_endpoint_services_are_those_that_the_stack_makes_endpoints_to(made):
    made_to = {
        endpoint["ServiceName"]
        for endpoint in made.compute.resources("AWS::EC2::VPCEndpoint").values()
        if endpoint["VpcEndpointType"] == "Interface"
    }
    assert made_to == set(ENDPOINT_SERVICES)
