# Fiber photometry recordings in, one trials.h5ad with dashboards out. See README.md.
from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/workers.smk"


# A config given on the command line stands alone: merged into the example's, it would
# inherit whatever it does not mention.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/load.smk"
include: "workflow/rules/preprocess.smk"
include: "workflow/rules/trials.smk"
include: "workflow/rules/dashboards.smk"


rule all:
    default_target: True
    input:
        expand(batch.paths.trials, variant=batch.variants),
        # Beside the merged trials, so that those of an experiment that failed are missed.
        every(batch.paths.extracted, batch.extracted),
        dashboards() if batch.config["save_dashboards"] else [],


onsuccess:
    finish(well=True)


onerror:
    finish(well=False)
