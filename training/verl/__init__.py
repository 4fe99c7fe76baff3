"""A GRPO job carried to a cluster: the same job directory, worked off by verl 0.5.0 on Ray. Free of Django.

verl is never imported here. It lives in an environment of its own on the cluster, beside torch and vLLM.
"""
