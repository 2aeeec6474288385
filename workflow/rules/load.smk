rule load:
    input:
        raw_files,
    output:
        batch.paths.recording,
    log:
        batch.paths.log("load"),
    resources:
        mem_mb=memory("load"),
        runtime=runtime("load", "preprocess", "extract", "dashboard"),
    params:
        settings=lambda wildcards: batch.load(wildcards.experiment),
        code=lambda wildcards: code_digest("load", batch.load(wildcards.experiment)),
    run:
        run_stage("load", wildcards, output[0], log[0], recording=output[0], **params.settings)
