"""What the desk costs beside its own floors, measured on a scratch database; benchmark_analyzer prints it.

Items a second of a busy machine say little; what an analysis costs beside a task that does nothing, on the same queue
in the same minute, says whether the pipeline is in the way. So everything here is a ratio first, taken in one run.
"""
