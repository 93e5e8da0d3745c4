"""Every context key: its default, what it can be set to, and the sentence that refuses the rest."""

import dataclasses
import re
from pathlib import Path

import pytest

from cdk_app.config import ConfigError, Environment, NetworkRules, PipelineConfig, StepsMode
from cdk_app.instances import InstanceType
from tests.infrastructure.context import default_context

FIELDS = [field.name for field in dataclasses.fields(PipelineConfig)]


def config_with(**changed):
    return PipelineConfig.from_context(default_context() | changed)


def refusal_of(**changed):
    try:
        config_with(**changed)
    except ConfigError as refused:
        return str(refused)
    pytest.fail(f"{changed} is not refused")


def test_cdk_json_holds_one_key_for_each_field():
    of_the_cdk = ("@aws-cdk/", "cli-telemetry")
    assert [key for key in default_context() if not key.startswith(of_the_cdk)] == FIELDS


def test_the_defaults_are_a_small_cluster_in_frankfurt_that_goes_away():
    assert config_with() == PipelineConfig(
        environment=Environment.TEST,
        region="eu-central-1",
        account="",
        availability_zone="eu-central-1a",
        vpc_cidr="10.42.0.0/24",
        network_rules=NetworkRules.DOCUMENTED,
        primary_instance_type=InstanceType("m7g", "xlarge"),
        worker_instance_type=InstanceType("m7g", "xlarge"),
        n_core_nodes=1,
        n_task_nodes=2,
        node_volume_gib=64,
        idle_timeout_minutes=15,
        max_life_hours=8,
        session_manager=False,
        in_transit_certificates=True,
        steps=StepsMode.NONE,
        n_components="0.95",
        label_level=1,
        max_rejected=0.1,
        serverless_max_vcpus=16,
        run_timeout_hours=6,
        schedule="",
        start_on_marker=False,
        alarm_email="",
        budget_usd_per_month=50,
        retention="",
        wheelhouse_path=Path("build/wheelhouse"),
        model_path=Path("build/model"),
    )


# The command line gives text, cdk.json the types of JSON.
READ = [
    ("environment", "prod", Environment.PROD),
    ("account", "012345678901", "012345678901"),
    ("account", 123456789012, "123456789012"),
    ("availability_zone", "eu-central-1c", "eu-central-1c"),
    ("vpc_cidr", "172.16.0.0/16", "172.16.0.0/16"),
    ("vpc_cidr", "192.168.7.64/26", "192.168.7.64/26"),
    ("vpc_cidr", "10.0.0.0/255.255.255.0", "10.0.0.0/24"),
    ("primary_instance_type", "r7g.2xlarge", InstanceType("r7g", "2xlarge")),
    ("worker_instance_type", "c7g.16xlarge", InstanceType("c7g", "16xlarge")),
    ("n_core_nodes", "100", 100),
    ("n_core_nodes", 3, 3),
    ("n_task_nodes", "0", 0),
    ("n_task_nodes", "007", 7),
    ("node_volume_gib", "1000", 1000),
    ("idle_timeout_minutes", 1440, 1440),
    ("session_manager", "true", True),
    ("session_manager", True, True),
    ("session_manager", "False", False),
    ("in_transit_certificates", "false", False),
    ("steps", "run", StepsMode.RUN),
    ("network_rules", "narrow", NetworkRules.NARROW),
    ("max_life_hours", "168", 168),
    ("n_components", "1", "1"),
    ("n_components", 120, "120"),
    ("n_components", 0.5, "0.5"),
    ("n_components", ".999999999", ".999999999"),
    ("label_level", "2", 2),
    ("max_rejected", "0", 0.0),
    ("max_rejected", "1.0", 1.0),
    ("max_rejected", 1, 1.0),
    ("max_rejected", ".25", 0.25),
    ("serverless_max_vcpus", "2", 2),
    ("serverless_max_vcpus", "400", 400),
    ("run_timeout_hours", "24", 24),
    ("schedule", "", ""),
    ("schedule", "rate(1 hour)", "rate(1 hour)"),
    ("schedule", "rate(7 days)", "rate(7 days)"),
    ("schedule", "cron(30 3 * * ? *)", "cron(30 3 * * ? *)"),
    ("schedule", "cron(0 6,18 ? * MON-FRI *)", "cron(0 6,18 ? * MON-FRI *)"),
    ("start_on_marker", "true", True),
    ("retention", "photographs=90 logs=14", "photographs=90 logs=14"),
    ("alarm_email", "first.last+fruits@team.example.org", "first.last+fruits@team.example.org"),
    ("budget_usd_per_month", "200", 200),
    ("budget_usd_per_month", "0", 0),
    ("wheelhouse_path", "/somewhere/else", Path("/somewhere/else")),
    ("model_path", "out/model", Path("out/model")),
]


def test_each_key_is_read_from_text_and_from_json():
    for key, given, read in READ:
        assert getattr(config_with(**{key: given}), key) == read, (key, given)
    assert {key for key, *_ in READ} == set(FIELDS) - {"region"}  # which has one value


INSTANCE_TYPES = "give one of the families c7g, m6g, m7g, r7g, c6i, m6i, m7i, r6i with one of the"
NODES = "give a whole number of nodes from"
PRIVATE = "give a private IPv4 network from /16 to /26, such as 10.42.0.0/24"
COMPONENTS = "give a number of components, or a share of variance between 0 and 1 such as 0.95"
# An Arabic one, which Python counts among the digits, and the ways to write a number that AWS or
# Spark would read otherwise.
NO_WHOLE_NUMBERS = [
    "",
    " 3",
    "3 ",
    "3\n",
    "-1",
    "+3",
    "1e3",
    "3.0",
    "0x3",
    "1_0",
    "\u0661",
    "9" * 40,
]
NO_SHARES = [
    "",
    ".",
    "-0.1",
    "1e-3",
    " 0.5",
    "0.5\n",
    "0,5",
    "nan",
    "inf",
    "\u0660.\u0665",
    ".\u0665",
    "0.5.1",
]
REFUSED = {
    "environment": (["dev", "TEST", "test\n", ""], "give test (all goes when it is destroyed)"),
    "region": (["eu-west-3", "", "eu-central-1\n", "EU-CENTRAL-1"], "give eu-central-1: the"),
    "account": (["123", "1" * 13, "\u0661" * 12, "1" * 12 + "\n"], "give an account number of 12"),
    "availability_zone": (
        ["eu-central-1d", "eu-west-1a", "a", "eu-central-1a\n"],
        "give eu-central-1a, eu-central-1b or eu-central-1c",
    ),
    "vpc_cidr": (
        [
            *("", "10.42.0.0", "10.42.0.1/24", "10.42.0.0/15", "10.42.0.0/27", "fd00::/64"),
            *("8.8.8.0/24", "127.0.0.0/24", "169.254.0.0/16", "172.32.0.0/16", "10.0.0.0/2\u0664"),
            "10.42.0.0/24\n",
        ],
        PRIVATE,
    ),
    "network_rules": (["wide", "", "narrow\n"], "give documented (the least that AWS documents)"),
    "primary_instance_type": (
        ["m7g", "m7g.large", "t3.xlarge", "m7g.xlarge\n", "M7G.xlarge", ""],
        INSTANCE_TYPES,
    ),
    "worker_instance_type": (["m7gd.xlarge", ".xlarge", "m7g.xlarge.x"], INSTANCE_TYPES),
    "n_core_nodes": ([*NO_WHOLE_NUMBERS, "0", "101", True, None], f"{NODES} 1 to 100"),
    "n_task_nodes": ([*NO_WHOLE_NUMBERS, "101", 1.5], f"{NODES} 0 to 100"),
    "node_volume_gib": (
        [*NO_WHOLE_NUMBERS, "19", "1001"],
        "give a whole number of GiB from 20 to 1000",
    ),
    "idle_timeout_minutes": (
        [*NO_WHOLE_NUMBERS, "0", "1441"],
        "give a whole number of minutes from 1 to 1440",
    ),
    "max_life_hours": (
        [*NO_WHOLE_NUMBERS, "0", "169"],
        "give a whole number of hours from 1 to 168",
    ),
    "session_manager": (["yes", "1", "", "true\n", None], "give true or false"),
    "in_transit_certificates": (["no", "0", "", None], "give true or false"),
    "steps": (["all", "", "run\n"], "give none (the cluster waits for them) or run"),
    "n_components": ([*NO_SHARES, "0", "0.0", "1.0", "1.5", "1e3", "\u0663", "9" * 7], COMPONENTS),
    "label_level": (
        [*NO_WHOLE_NUMBERS, "0", "10"],
        "give a whole number of folders from 1 to 9",
    ),
    "max_rejected": ([*NO_SHARES, "1.1", "2", "-1"], "give a fraction from 0 to 1"),
    "serverless_max_vcpus": (
        [*NO_WHOLE_NUMBERS, "0", "17", "402"],
        "give an even number of vCPUs from 2 to 400",
    ),
    "run_timeout_hours": (
        [*NO_WHOLE_NUMBERS, "0", "25"],
        "give a whole number of hours from 1 to 24",
    ),
    "schedule": (
        [
            *("daily", "rate(0 hours)", "rate(1 hours)", "rate(2 hour)", "rate(5 minutes)"),
            *("cron(* * * * ? *)", "cron(0/5 * * * ? *)", "cron(60 3 * * ? *)"),
            *("cron(0 3 * * * *)", "cron(0 3 ? * ? *)", "cron(0 3 * *)", "0 3 * * *"),
            *("rate(1 day)\n", " rate(1 day)", "None of them"),
        ],
        "give an expression of EventBridge such as rate(1 day) or cron(0 3 * * ? *), in UTC",
    ),
    "start_on_marker": (["yes", "1", "", "true\n", None], "give true or false"),
    "alarm_email": (
        ["me", "me@", "@b.org", "me@example", "a b@c.org", "a@b.org\n", "a@b.org,c@d.org"],
        "give an e-mail address such as team@example.org, or nothing for none",
    ),
    "budget_usd_per_month": (
        [*NO_WHOLE_NUMBERS, "100001"],
        "give a whole number of USD from 0 to 100000",
    ),
    "retention": (
        ["30", "logs", "logs=", "logs=-1", "logs=1.5", "films=3", "logs=3,tier=4"],
        "give days by name, such as 'logs=90'; the names are photographs, old_versions, logs, "
        "unfinished_uploads, tier",
    ),
}


@pytest.mark.parametrize("key", REFUSED)
def test_a_refusal_names_the_key_the_value_and_what_is_allowed(key):
    values, allowed = REFUSED[key]
    for value in values:
        sentence = refusal_of(**{key: value})
        assert sentence.startswith(
            f"the context key {key} is {str(value)!r}, which is not allowed; {allowed}"
        )
        assert sentence.endswith(f", in cdk.json or with -c {key}=...")
        assert "\n" not in sentence


def test_every_key_can_be_refused_but_the_paths():
    assert [*REFUSED, "wheelhouse_path", "model_path"] == FIELDS


def test_another_region_is_refused_because_the_data_stay_in_the_union():
    assert "within the European Union (GDPR)" in refusal_of(region="us-east-1")


def test_two_architectures_are_refused_because_the_nodes_share_their_wheels():
    assert refusal_of(primary_instance_type="m7i.xlarge") == (
        "primary_instance_type is m7i.xlarge (x86_64) and worker_instance_type is m7g.xlarge "
        "(arm64); the nodes install the same wheels, so choose two types of one architecture"
    )


def test_an_unknown_key_is_named_with_those_that_exist():
    assert refusal_of(n_nodes="3", colour="red") == (
        f"unknown context key colour, n_nodes; the keys are {', '.join(FIELDS)}"
    )


def test_the_keys_of_the_cdk_are_left_to_it():
    config_with(**{"aws:cdk:enable-path-metadata": True, "cdk-migrate": True, "cli-x": 1})
    # A feature flag as `cdk init` and `cdk flags` write it.
    config_with(**{"@aws-cdk-containers/ecs-service-extensions:enableDefaultLogDriver": True})


def test_prod_is_encrypted_between_its_nodes():
    assert refusal_of(environment="prod", in_transit_certificates="false") == (
        "in_transit_certificates is false, which is for first runs on sample photographs and not "
        "for prod; leave it out, or choose another with -c environment=test"
    )


def test_a_missing_key_is_named():
    for key in FIELDS:
        context = default_context()
        del context[key]
        with pytest.raises(ConfigError, match=re.escape(f"the context key {key} is missing")):
            PipelineConfig.from_context(context)
