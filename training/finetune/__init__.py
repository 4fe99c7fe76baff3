"""Fine-tuning of a causal model: a job directory goes in, an adapter comes out. Free of Django.

So a job directory can be carried to any machine with the extras of requirements-finetune.txt and worked off there:
python -m training.finetune.worker DIRECTORY, or accelerate launch -m training.finetune.worker DIRECTORY.
"""
