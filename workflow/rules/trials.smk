rule extract:
    input:
        processed_of,
    output:
        batch.paths.extracted,
    log:
        batch.paths.log("extract"),
    resources:
        mem_mb=memory("extract"),
        runtime=runtime("extract"),
    params:
        settings=lambda wildcards: batch.variants[wildcards.variant].extract,
        code=lambda wildcards: code_digest("extract", batch.variants[wildcards.variant].extract),
    run:
        run_stage(
            "extract",
            wildcards,
            output[0],
            log[0],
            made_of=input[0],
            processed=input[0],
            trials=output[0],
            **params.settings,
        )


# The ids of all experiments, to be looked through before anything is named after them.
rule identify:
    input:
        lambda wildcards: every(batch.paths.extracted, wildcards.variant),
    output:
        batch.paths.ids,
    log:
        batch.paths.log("identify"),
    resources:
        mem_mb=memory_of_all("identify"),
        runtime=30,
    params:
        experiments=list(batch.jobs),
        code=code_digest("identify"),
    run:
        trials = dict(zip(params.experiments, input))
        run_identify(trials, output[0], log[0], wildcards.variant)


rule merge_trials:
    input:
        # First, as --batch takes parts of the whole list.
        trials=trials_of,
        ids=ids_of,
    output:
        trials=batch.paths.trials,
        settings=batch.paths.settings,
    log:
        batch.paths.log("merge_trials"),
    resources:
        mem_mb=memory_of_all("merge_trials"),
        runtime=60,
    params:
        experiments=list(batch.jobs),
        join=batch.config["obs_join"],
        settings=lambda wildcards: batch.settings(wildcards.variant),
        code=code_digest("merge_trials"),
    run:
        run_merge(
            dict(zip(params.experiments, input.trials)),
            log[0],
            merged=output.trials,
            join=params.join,
            settings=params.settings,
            settings_file=output.settings,
        )
