"""What is asked of an account before a deployment and a deletion, held against the templates."""

from operations.aws.foreign_rules import own_rules
from operations.preflight.account_checks import BOOTSTRAP_VERSION
from operations.preflight.account_reader import BOOTSTRAP_PARAMETER
from operations.preflight.region_checks import ENDPOINT_SERVICES


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


def test_every_rule_between_groups_is_known_to_what_revokes_all_others(made):
    kinds = [f"AWS::EC2::SecurityGroup{kind}" for kind in ("Ingress", "Egress")]
    n_rules = sum(len(made.compute.resources(kind)) for kind in kinds)
    groups = {name: name for name in made.compute.resources("AWS::EC2::SecurityGroup")}
    known = own_rules(made.compute.template["Resources"], groups)
    # All but those about addresses: one into the endpoints, and two to S3.
    assert len(known) == n_rules - 3
    assert {end for rule in known for end in (rule.group_id, rule.peer_id)} == set(groups)
