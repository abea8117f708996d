"""Coverage-guided fuzzing of every importer: `python -m tests.fuzz.importers -max_total_time=600`.

Needs the package atheris, which is no dependency, as it does not build everywhere; tests/data/test_fuzz.py
runs everywhere. Each input replaces one file of one format's sample; anything but a data set with balanced
books or one of our own errors stops the run with the input that did it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["evalkit"]):
    from evalkit.data import beir
    from evalkit.data.importers.bring import bring

from evalkit.errors import EvalkitError
from tests.data.importers.samples import SAMPLES

ON_DISK = sorted(set(SAMPLES) - {"huggingface", "ir_datasets"})


def one(data: bytes) -> None:
    """Import a sample with one of its files replaced by fuzzed bytes."""
    provider = atheris.FuzzedDataProvider(data)
    form = ON_DISK[provider.ConsumeIntInRange(0, len(ON_DISK) - 1)]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        source.mkdir()
        sample = SAMPLES[form](source)
        files = sorted(path for path in source.rglob("*") if path.is_file())
        victim = files[provider.ConsumeIntInRange(0, len(files) - 1)]
        keep = provider.ConsumeIntInRange(0, victim.stat().st_size)
        victim.write_bytes(victim.read_bytes()[:keep] + provider.ConsumeBytes(provider.remaining_bytes()))
        try:
            done = bring(form, sample.source, Path(folder) / "dest", sample.options)
        except EvalkitError:
            return
        beir.load(done.folder)
        assert all(account.balanced for account in done.accounts.values())


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
