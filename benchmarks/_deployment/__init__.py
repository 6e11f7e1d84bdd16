"""What `deployment.py` runs in processes of its own: a contender's timing, and the stages of a pipeline."""
