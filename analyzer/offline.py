"""What must be set before agentlightning is imported: import this first.

Else litellm fetches a price list from the network, and agentops writes a log into the working directory.
"""

from __future__ import annotations

import os

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("AGENTOPS_LOGGING_TO_FILE", "FALSE")
os.environ.setdefault("AGENTOPS_LOG_LEVEL", "CRITICAL")
