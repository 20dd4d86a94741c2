"""The folder that a program's PYTHONPATH begins with; Python finds `sitecustomize` there."""
