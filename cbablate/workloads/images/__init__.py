"""The workload `image_classification`."""
