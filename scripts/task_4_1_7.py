"""Task 4.1.7: samples of the RBM and of the DBM, shown alike.

The report sets binary states of the RBM, one Gibbs step from test images, beside probabilities of
the DBM from its long-run particles (D11), and finds the DBM's better and smoother. Here both are
shown both ways, as states and as probabilities, both after one step from test images and from long
chains. Quality is the Fréchet distance to training digits on the features of a convnet: of how many
samples the convnet is sure does not tell, since chains that all show one figure can have it sure.

    python scripts/task_4_1_7.py                     about 40 seconds
    python scripts/task_4_1_7.py --preset report     about 5 minutes, with the RBM of task 4.1.2
                                                     and the DBM of task 4.1.6
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, plots
from ann_keras.experiments import settings as shared


@dataclass(frozen=True)
class Settings(shared.DBM):
    chain: int = 2_000  # ours: steps of a long chain from random states
    images: int = 1_000  # ours: samples that are counted
    epochs: int = 10  # ours: of the labelling convnet
    seeds: int = 1  # the report shows one machine


PRESETS = {
    "smoke": Settings(**shared.DBM_SMOKE, chain=5, images=30, epochs=1),
    "quick": Settings(**shared.DBM_QUICK, chain=300, images=300, epochs=8),
    "report": Settings(),
}
STARTS = {"one step from test images": "one_step", "long chains": "long_chains"}
KINDS = "states", "probabilities"
MEASURES = "frechet", "confident", "diversity", "specks", "grey", "background", "noisy"


def run(task, settings):
    boltzmann, dbm = experiments.boltzmann, experiments.dbm
    board = experiments.samples.Scoreboard(
        task, epochs=settings.epochs, source=settings.source, number=settings.images
    )
    rows, _ = boltzmann.test_digits(settings.source, settings.images)
    samples = []
    for seed in task.seeds:
        rbm = boltzmann.rbm_of(boltzmann.published_rbm(task, settings, seed, of="4.1.2"))
        deep = dbm.machine_of(dbm.trained(task, settings, seed, of="4.1.6"))
        samples.append(sample(rbm, deep, rows, settings.chain))
    quality = {}
    for key in samples[0]:
        found = [board.score(drawn[key]) for drawn in samples]
        quality[key] = {name: np.array([values[name] for values in found]) for name in MEASURES}
        for name, values in quality[key].items():
            task.measure("/".join((*key, name)), values)
    found = board.score(boltzmann.binary(rows))
    digits = {name: found[name] for name in MEASURES}
    for name, value in digits.items():
        task.measure(f"test_digits/{name}", value)
    quality = {key: {name: values.mean() for name, values in found.items()}
               for key, found in quality.items()}
    task.table(
        "samples", ["machine", "start", "shown as", *digits],
        [[*key, *(f"{value:.3f}" for value in values.values())]
         for key, values in quality.items()],
    )
    drawn = samples[0]
    draw(task, drawn)
    judge_claims(task, quality, digits)


def sample(rbm, deep, rows, chain):
    """Samples of both machines, by (machine, start, kind)."""
    drawn = {}
    for kind in KINDS:
        grey = {"probabilities": kind == "probabilities"}
        drawn["RBM", "one_step", kind] = rbm.reconstruct(rows, **grey)
        drawn["DBM", "one_step", kind] = deep.sample(rows, 1, **grey)
        drawn["RBM", "long_chains", kind] = rbm.sample(len(rows), chain, **grey)
        drawn["DBM", "long_chains", kind] = deep.sample(len(rows), chain, **grey)
    return drawn


def draw(task, drawn, columns=10):
    figure, axes = plots.image_grid(len(drawn), columns, size=0.85)
    titles = {short: long for long, short in STARTS.items()}
    for line, ((machine, start, kind), images) in zip(axes, drawn.items(), strict=True):
        for panel, image in zip(line, images):
            panel.imshow(image.reshape(28, 28), cmap="gray", vmin=0, vmax=1)
        line[0].set_ylabel(f"{machine}, {kind}\n{titles[start]}", fontsize=7, rotation=0,
                           ha="right", va="center")
    task.figure("fig20_boltzmann_samples", figure)


def judge_claims(task, quality, digits):
    def found(measure, machine, start, kind):
        return quality[machine, start, kind][measure]

    better = [
        found("frechet", "DBM", start, kind) < found("frechet", "RBM", start, kind)
        for start in STARTS.values() for kind in KINDS
    ]
    published = (found("frechet", "DBM", "long_chains", "probabilities")
                 < found("frechet", "RBM", "one_step", "states"))
    task.claim(
        "4.1.7-a", True if all(better) else "artefact" if published else False,
        "Fréchet distance to digits, and share of which the convnet is sure, RBM and DBM: "
        + "; ".join(
            f"{long}, {kind} " + " and ".join(
                f"{found('frechet', machine, short, kind):.3g} "
                f"({found('confident', machine, short, kind):.0%})" for machine in ("RBM", "DBM")
            ) for long, short in STARTS.items() for kind in KINDS
        ) + f"; binary test digits {digits['frechet']:.3g} ({digits['confident']:.0%}). As "
        "published, the DBM's probabilities from long chains stand beside the RBM's states after "
        "one step.",
        deviation=None if all(better) else "D11",
    )
    grey = {
        (machine, kind): quality[machine, "long_chains", kind]["grey"]
        for machine in ("RBM", "DBM") for kind in KINDS
    }
    alike = all(grey[machine, "states"] == 0 < grey[machine, "probabilities"]
                for machine in ("RBM", "DBM"))
    task.claim(
        "4.1.7-b", "artefact" if alike else False,
        "Pixels between 0.1 and 0.9: "
        + ", ".join(f"{share:.1%} of the {machine}'s {kind}"
                    for (machine, kind), share in grey.items())
        + ". Either machine has binary pixels as states and smooth edges as probabilities.",
        deviation="D11",
    )


if __name__ == "__main__":
    command.main("4.1.7", run, PRESETS, __doc__)
