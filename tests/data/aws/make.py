"""Writes interface.json: the commands and calls that the recipes in sql/remediation may use.

Run in an environment that has `awscli` and `boto3` from PyPI, without a network:

    python tests/data/aws/make.py

For each command: its options as the AWS CLI's own parser knows them, and the method and parameters of
boto3's client. A test holds every recipe against the table, so a recipe that uses a new command needs
the table anew, and one that misspells a command or an option cannot pass.
"""

import json
import pathlib
import re

import botocore
import botocore.session
from awscli.clidriver import create_clidriver
from botocore import xform_name

HERE = pathlib.Path(__file__).parent
RECIPES = HERE.parents[2] / "sql" / "remediation"

text = "\n".join(path.read_text() for path in sorted(RECIPES.glob("*.md")))
commands = set(re.findall(r"^aws (\S+) (\S+)", text, re.M))
# Of the recipe that fills in whether it is about a role, a user or a group.
commands = {(service, name) for service, name in commands if "{{" not in name}
commands |= {
    ("iam", f"{verb}-{kind}-policy")
    for verb in ("detach", "get", "delete")
    for kind in ("role", "user", "group")
}
methods = set(re.findall(r"\.(\w+)\(", text))

session = botocore.session.get_session()
table = create_clidriver()._get_command_table()
services = {}
for service in sorted({service for service, _ in commands}):
    model = session.get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    names = {name for of, name in commands if of == service}
    names |= {name for name, call in operations.items() if xform_name(call) in methods}
    entry = services[service] = {}
    command_of = table[service]
    command_table = getattr(command_of, "subcommand_table", None) or command_of._get_command_table()
    for name in sorted(names):
        arguments = dict(command_table[name].arg_table)
        # Of every command alike, and of no recipe.
        for option in ("cli-input-json", "cli-input-yaml", "generate-cli-skeleton"):
            arguments.pop(option, None)
        entry[name] = {
            "options": sorted(arguments),
            "required": sorted(
                option for option, argument in arguments.items() if getattr(argument, "required", False)
            ),
        }
        # Some commands are the CLI's own and no call.
        if name in operations:
            shape = model.operation_model(operations[name]).input_shape
            entry[name]["method"] = xform_name(operations[name])
            entry[name]["parameters"] = sorted(shape.members) if shape else []
            entry[name]["required_parameters"] = sorted(shape.required_members) if shape else []

# One line for each command, so that a change of the table can be read.
lines = []
for service, entry in services.items():
    rows = [f'  {json.dumps(name)}: {json.dumps(row)}' for name, row in entry.items()]
    lines.append(f' {json.dumps(service)}: {{\n' + ",\n".join(rows) + "\n }")
document = f'{{"botocore": {json.dumps(botocore.__version__)}, "services": {{\n' + ",\n".join(lines) + "\n}}\n"
json.loads(document)
(HERE / "interface.json").write_text(document)
