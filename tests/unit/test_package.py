"""The names that the package offers."""

import pytest

import phopro_core


@pytest.mark.parametrize("name", phopro_core.__all__)
def test_every_name_offered_can_be_imported(name):
    offered = getattr(phopro_core, name)
    assert name == "__version__" or offered.__name__ == name


def test_they_are_what_a_listing_shows():
    assert dir(phopro_core) == sorted(phopro_core.__all__)


def test_another_name_is_not_there():
    with pytest.raises(AttributeError, match="'phopro_core' has no attribute 'Photometry'"):
        _ = phopro_core.Photometry
