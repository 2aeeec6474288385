rule preprocess:
    input:
        rules.load.output,
    output:
        batch.paths.processed,
    log:
        batch.paths.log("preprocess"),
    resources:
        mem_mb=memory("preprocess"),
    params:
        settings=batch.preprocessing,
        code=code_digest("preprocess", *files_behind(batch.preprocessing)),
    run:
        run_stage(
            "preprocess",
            wildcards.experiment,
            output[0],
            log[0],
            made_of=input[0],
            recording=input[0],
            processed=output[0],
            settings=params.settings,
        )
