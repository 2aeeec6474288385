rule preprocess:
    input:
        rules.load.output,
    output:
        batch.paths.processed,
    log:
        batch.paths.log("preprocess"),
    resources:
        mem_mb=memory("preprocess"),
        runtime=runtime("preprocess", "extract", "dashboard"),
    params:
        settings=lambda wildcards: batch.variants[wildcards.variant].preprocess,
        code=lambda wildcards: code_digest(
            "preprocess", batch.variants[wildcards.variant].preprocess
        ),
    run:
        run_stage(
            "preprocess",
            wildcards,
            output[0],
            log[0],
            made_of=input[0],
            recording=input[0],
            processed=output[0],
            **params.settings,
        )
