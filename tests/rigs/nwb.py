"""NWB files of fiber photometry, written by pynwb and its extensions."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np


def new_file(**fields: Any) -> Any:
    """A file in memory, of a mouse."""
    from pynwb import NWBFile
    from pynwb.file import Subject

    return NWBFile(
        session_description="lever task",
        identifier="m1-1",
        session_start_time=datetime(2024, 5, 1, 9, 30, tzinfo=UTC),
        subject=Subject(subject_id="m1", sex="F", species="Mus musculus", age="P90D"),
        session_id="day 1",
        **fields,
    )


def write(path: Path, file: Any) -> Path:
    """Write a file, with the definitions of the extensions that it uses."""
    from pynwb import NWBHDF5IO

    with NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return path


def add_series(file: Any, name: str, data: np.ndarray, **clock: Any) -> None:
    """Add a plain series to what was acquired."""
    from pynwb import TimeSeries

    file.add_acquisition(TimeSeries(name=name, data=data, unit="a.u.", **clock))


def add_fibers(
    file: Any,
    series: Mapping[str, tuple[Sequence[tuple[str, float]], np.ndarray]],
    **clock: Any,
) -> None:
    """Add series of fibers; each has the place and wavelength of its columns, and its data."""
    import ndx_fiber_photometry as photometry
    import ndx_ophys_devices as devices

    indicator = devices.Indicator(name="indicator", label="GCaMP8s")
    detector = devices.Photodetector(name="photodetector")
    rows = sorted({row for columns, _ in series.values() for row in columns})
    fibers = {
        place: devices.OpticalFiber(name=place, fiber_insertion=devices.FiberInsertion())
        for place in sorted({place for place, _ in rows})
    }
    lights = {
        light: devices.ExcitationSource(name=f"led_{light:g}")
        for light in sorted({light for _, light in rows})
    }
    for device in (*fibers.values(), *lights.values(), detector):
        file.add_device(device)
    table = photometry.FiberPhotometryTable(name="fiber_photometry_table", description="fibers")
    for place, light in rows:
        table.add_row(
            location=place,
            excitation_wavelength_in_nm=float(light),
            emission_wavelength_in_nm=525.0,
            indicator=indicator,
            optical_fiber=fibers[place],
            excitation_source=lights[light],
            photodetector=detector,
        )
    indicators = photometry.FiberPhotometryIndicators(indicators=[indicator])
    file.add_lab_meta_data(
        photometry.FiberPhotometry(
            name="fiber_photometry",
            fiber_photometry_table=table,
            fiber_photometry_indicators=indicators,
        )
    )
    for name, (columns, data) in series.items():
        region = table.create_fiber_photometry_table_region(
            region=[rows.index(column) for column in columns], description=name
        )
        file.add_acquisition(
            photometry.FiberPhotometryResponseSeries(
                name=name,
                description=name,
                unit="a.u.",
                data=data,
                fiber_photometry_table_region=region,
                **clock,
            )
        )
