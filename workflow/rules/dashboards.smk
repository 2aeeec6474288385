# With an id_builder, dashboards are drawn under the experiments' names first, and named after the
# ids once these are known.
rule dashboard:
    input:
        rules.preprocess.output,
    output:
        batch.paths.drawn
        if batch.config["id_builder"]
        else report(
            batch.paths.dashboard,
            caption="../report/dashboard.rst",
            category="Dashboards",
            labels={"experiment": "{experiment}", "variant": "{variant}"},
        ),
    log:
        batch.paths.log("dashboard"),
    resources:
        mem_mb=memory("dashboard"),
        runtime=runtime("dashboard"),
    params:
        settings=batch.dashboard,
        code=code_digest("dashboard", batch.dashboard),
    run:
        run_stage(
            "dashboard",
            wildcards,
            output[0],
            log[0],
            made_of=input[0],
            processed=input[0],
            dashboard=output[0],
            title=wildcards.experiment,
            **params.settings,
        )


if batch.config["id_builder"]:

    rule name_dashboards:
        input:
            ids=ids_of,
            drawn=lambda wildcards: every(batch.paths.drawn, wildcards.variant),
        output:
            report(
                directory(batch.paths.dashboards),
                patterns=["{experiment_id}.svg"],
                caption="../report/dashboard.rst",
                category="Dashboards",
                labels={"experiment": "{experiment_id}", "variant": "{variant}"},
            ),
        params:
            experiments=list(batch.jobs),
        run:
            name_dashboards(dict(zip(params.experiments, input.drawn)), input.ids[0], output[0])
