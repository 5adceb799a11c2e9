"""How much sooner does the painter reach what the published recipes reach?

    python tests/benchmark [--quick] [--tracks 0 A B speed] [--pairs 0 1 2] [--size 224]
                           [--against NAME ...] [--start patches] [--minutes 70] [--out FOLDER]
    python tests/benchmark --tracks where [--of OLD NEW] [--times 3] [--pairs 0] [--size 400]
    python tests/benchmark --tracks peers [--times 3] [--pairs 0] [--size 400] [--minutes 10]
                           [--against NAME ...] [--threads N] [--no-avx512] [--out FOLDER]

Track 0  each published recipe as it was published: its own costs, layers and optimiser (but the
         Keras example's rate, the best of seven: the published one diverges at 224 px)
         (our seconds: those of the best of six betas, the other five not counted; tv = 0; from a
         picture laid of the painting's pieces, as on Track A, or from the photo: `--start content`;
         with block2_conv1 as our content layer: `--content-layer` has another)
Track A  the same costs and convolutions for all; only optimiser, schedule, start and scales differ
Track B  how far every recipe has come after 5, 15, 30 and 60 seconds
speed    GFLOP/s of a step, and their share of a matrix product's: of the best of NumPy's,
         TensorFlow's and, where it is installed, PyTorch's, which is named; memory; how both grow
         (counted as if every convolution were a plain one: ours do with fewer operations, so it can
         be above 1)
where    one run of the painter's command line, from the shell to the saved file: what its seconds
         go to. `--of` names the folders of checkouts, to be run in turn; the first one's time is
         divided by the others'. Nothing is cached: each run has a copy of its checkout to itself.
         It writes where.csv, with all runs, and where.png. The filters are the embedded ones.
peers    what people would run instead, run by its own library with our network's weights: PyTorch's
         tutorial and Gatys' layers by PyTorch, eager and compiled; TensorFlow's tutorial and the
         Keras example by plain Keras. First a plain step, 400 x 300 pixels to block5_conv1 and
         back; then each method's own step, `--times` in turn; then the seconds until its picture is
         as near to the painting, and to the photo, as ours by default is when it is done, for
         `--minutes` each at most; the peak memory of its process. Tracing and compiling count,
         reading and fitting the weights do not. It writes peers.csv, peers_on_the_way.csv and
         peers.png. PyTorch is no requirement: `pip install torch`, or its rows are missing.
         Nothing else may run: threads of OpenMP, which PyTorch has, then wait for each other.

All baselines are taken to 5 % of their published steps, then all to 10 %, 40 % and 100 %, until the
minutes are over; what was reached is in the table, what was not is said to be missing. Track B
alone stops each of them after 60 s. The same command goes on where it stopped. It writes
benchmark.csv, benchmark.png, race.png for Track B and pictures.png for Track 0. Seconds are those
of the steps, tracing included, and without reading or fitting the weights, which all share.

A file for each idea: cases (pictures, networks, the judge), recipes (what was published), runs
(kept in files), tracks, speed, report (table and figures), race (all together); where, with
spans, which notes the seconds inside the painter's process; peers, with torch_peers and
tensorflow_peers, which are the methods, and processes, in which they run; machine.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # as nst_utils says, but keras is read before it
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # for the peers, too
os.environ["KERAS_BACKEND"] = "tensorflow"
