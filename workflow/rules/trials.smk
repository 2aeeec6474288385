rule extract:
    input:
        rules.preprocess.output,
    output:
        batch.paths.extracted,
    log:
        batch.paths.log("extract"),
    resources:
        mem_mb=memory("extract"),
    params:
        settings=batch.extraction,
        passdown_metadata=batch.config["passdown_metadata"],
        code=code_digest("extract", *files_behind(batch.extraction)),
    run:
        run_stage(
            "extract",
            wildcards.experiment,
            output[0],
            log[0],
            made_of=input[0],
            processed=input[0],
            trials=output[0],
            settings=params.settings,
            passdown_metadata=params.passdown_metadata,
        )


rule merge_trials:
    input:
        every(batch.paths.extracted),
    output:
        batch.paths.trials,
    log:
        batch.paths.log("merge_trials"),
    resources:
        mem_mb=memory("merge_trials"),
    params:
        experiments=list(batch.jobs),
        join=batch.config["obs_join"],
        code=code_digest("merge_trials"),
    run:
        run_merge(
            dict(zip(params.experiments, input)),
            output[0],
            log[0],
            join=params.join,
        )
