rule extract:
    input:
        rules.preprocess.output,
    output:
        batch.paths.extracted,
    log:
        batch.paths.log("extract"),
    params:
        settings=batch.extraction,
        passdown_metadata=batch.config["passdown_metadata"],
        code=code_digest("extract", *files_behind(batch.extraction)),
    run:
        run_stage(
            "extract",
            about(wildcards),
            log[0],
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
    params:
        experiments=list(batch.jobs),
        code=code_digest("merge_trials"),
    run:
        run_stage(
            "merge_trials",
            batch.config["data_directory"],
            log[0],
            trials=dict(zip(params.experiments, input)),
            merged=output[0],
        )
