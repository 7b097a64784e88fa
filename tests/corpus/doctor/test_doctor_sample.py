"""The sample of runs of neighbours."""

from seqloom.corpus import Corpus
from seqloom.corpus.doctor.sample import RUN, Sample


def sample_of(count, size, seed=1):
    corpus = Corpus.of([(f"s{i}", f"t{i}") for i in range(count)])
    sample = Sample(size, seed)
    for batch in corpus.batches():
        sample.add(batch)
    return sample


def test_a_small_corpus_is_its_own_sample():
    sources, targets = sample_of(100, 1000).sides()
    assert sources == [f"s{i}" for i in range(100)]
    assert targets == [f"t{i}" for i in range(100)]


def test_runs_are_of_neighbours_in_order_and_of_the_size_asked_for():
    runs = sample_of(20_000, 640).runs()
    assert sum(len(sources) for sources, _ in runs) == 640
    starts = [int(sources[0][1:]) for sources, _ in runs]
    assert starts == sorted(starts)
    for start, (sources, targets) in zip(starts, runs, strict=True):
        assert sources == [f"s{i}" for i in range(start, start + RUN)]
        assert targets == [f"t{i}" for i in range(start, start + RUN)]


def test_every_part_of_the_corpus_has_the_same_chance():
    halves = [0, 0]
    for seed in range(40):
        for sources, _ in sample_of(20_000, 640, seed).runs():
            halves[int(sources[0][1:]) >= 10_000] += 1
    assert 0.85 < halves[0] / halves[1] < 1.18  # 400 of each; two standard deviations are 0.14


def test_the_same_seed_gives_the_same_sample():
    assert sample_of(20_000, 640, 5).runs() == sample_of(20_000, 640, 5).runs()
    assert sample_of(20_000, 640, 5).runs() != sample_of(20_000, 640, 6).runs()
