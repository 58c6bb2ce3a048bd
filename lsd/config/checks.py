"""All checks of a configuration that has the right shape."""

from collections.abc import Mapping
from typing import Any

from lsd.config.findings import Findings
from lsd.config.rules.evaluators import check_evaluators
from lsd.config.rules.experimentation import check_experiments
from lsd.config.rules.functions import check_functions
from lsd.config.rules.gateway import check_gateway
from lsd.config.rules.locations import check_locations
from lsd.config.rules.models import check_models
from lsd.config.rules.names import check_names
from lsd.config.rules.namespaces import check_namespaces
from lsd.config.rules.providers import check_providers
from lsd.config.rules.ranges import check_ranges
from lsd.config.rules.rate_limiting import check_rate_limits
from lsd.config.rules.templates import check_templates
from lsd.config.rules.timeouts import check_timeouts
from lsd.config.tables.config import Config
from lsd.config.unsupported import NOT_YET, switched_on


def check(
    config: Config, tree: Mapping[str, Any], environment: Mapping[str, str], findings: Findings
) -> None:
    """Tells `findings` of everything that is wrong with values and between them.

    `tree` is the canonical form of `config`.
    """
    check_ranges(config, (), findings)
    check_names(config, findings)
    check_gateway(config, environment, findings)
    check_timeouts(config, findings)
    check_models(config, findings)
    check_providers(config, findings)
    check_locations(config, findings)
    check_functions(config, findings)
    check_templates(config, findings)
    check_experiments(config, findings)
    check_namespaces(config, findings)
    check_evaluators(config, findings)
    check_rate_limits(config, findings)
    for path in switched_on(tree):
        findings.refuse(path, NOT_YET)
