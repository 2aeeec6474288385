"""Writers of recordings in the formats of acquisition systems, with samples that are known."""
