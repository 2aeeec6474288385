rule dashboard:
    input:
        rules.preprocess.output,
    output:
        report(
            batch.paths.dashboard,
            caption="../report/dashboard.rst",
            category="Dashboards",
            labels={"experiment": "{experiment}"},
        ),
    log:
        batch.paths.log("dashboard"),
    params:
        settings=batch.dashboard,
        code=code_digest("dashboard"),
    run:
        run_stage(
            "dashboard",
            wildcards.experiment,
            output[0],
            log[0],
            made_of=input[0],
            processed=input[0],
            dashboard=output[0],
            title=wildcards.experiment,
            settings=params.settings,
        )
