"""From a config and a folder to jobs, and what runs them. Nothing here imports Snakemake."""
