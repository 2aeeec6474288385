rule load:
    input:
        lambda wildcards: batch.jobs[wildcards.experiment].files,
    output:
        batch.paths.recording,
    log:
        batch.paths.log("load"),
    resources:
        mem_mb=memory("load"),
    params:
        loading=lambda wildcards: batch.loading(wildcards.experiment),
        code=code_digest("load", *batch.loader_files),
    run:
        run_stage(
            "load",
            wildcards.experiment,
            output[0],
            log[0],
            recording=output[0],
            **params.loading,
        )
