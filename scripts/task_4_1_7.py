"""Task 4.1.7: samples of the RBM and of the DBM, shown alike.

The report sets binary states of the RBM, one Gibbs step from test images, beside probabilities of
the DBM from its long-run particles (D11), and finds the DBM's better and smoother. Here both are
shown both ways, as states and as probabilities, both after one step from test images and from long
chains. Quality is the Fréchet distance to training digits on the features of a convnet: of how many
samples the convnet is sure does not tell, since chains that all show one figure can have it sure.

    python scripts/task_4_1_7.py                     about 30 seconds
    python scripts/task_4_1_7.py --preset report     about 5 minutes, with the RBM of task 4.1.2
                                                     and the DBM of task 4.1.6
"""

from dataclasses import dataclass, replace

from ann_keras import command, data, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import convnet, dbm, rbm

DBM, RBM = command.flat(dbm.Recipe), command.group(rbm.Recipe, "source")
Labelling = command.group(convnet.Recipe, "source")


@dataclass(frozen=True)
class Settings:
    recipe: DBM = dbm.Recipe()  # of the DBM
    rbm: RBM = rbm.Recipe()  # report
    labelling: Labelling = convnet.LABELLING  # ours: the judge
    chain: int = 2_000  # ours: steps of a long chain from random states
    samples: int = 1_000  # ours: that are scored
    seeds: int = 1  # the report shows one machine


PRESETS = {
    "smoke": Settings(dbm.SMOKE, rbm.SMOKE, convnet.LABELLING_SMOKE, chain=5, samples=30),
    "quick": Settings(dbm.QUICK, rbm.QUICK, convnet.LABELLING_QUICK, chain=300, samples=300),
    "report": Settings(),
}
STARTS = {"one_step": "one step from test images", "long_chains": "long chains"}
MACHINES, KINDS = ("RBM", "DBM"), ("states", "probabilities")
MEASURES = "frechet", "confident", "diversity", "specks", "grey", "background", "noisy"


def run(task, settings):
    source = settings.recipe.source
    labelling = task.run(convnet.train, replace(settings.labelling, source=source), seed=0)
    runs = {"RBM": task.repeat(rbm.train, replace(settings.rbm, source=source)),
            "DBM": task.repeat(dbm.train, settings.recipe)}
    results = {
        machine: task.repeat(sample, training=group, labelling=labelling, chain=settings.chain,
                             samples=settings.samples)
        for machine, group in runs.items()
    }
    digits = task.run(score_digits, labelling=labelling, source=source, samples=settings.samples)

    keys = [(machine, start, kind) for kind in KINDS for start in STARTS for machine in MACHINES]
    quality = {
        (machine, start, kind): {
            name: task.measure(f"{machine}/{start}/{kind}/{name}",
                               results[machine][f"{start}/{kind}/{name}"])
            for name in MEASURES
        }
        for machine, start, kind in keys
    }
    for name in MEASURES:
        task.measure(f"test_digits/{name}", digits[name])
    task.table("samples", ["machine", "start", "shown as", *MEASURES],
               [[*key, *(f"{value:.3f}" for value in found.values())]
                for key, found in quality.items()])
    plots.sample_rows(task, "fig20_boltzmann_samples", {
        f"{machine}, {kind}\n{STARTS[start]}": results[machine][0][f"{start}/{kind}/images"]
        for machine, start, kind in keys
    })
    task.decide(judge(quality, digits))


def sample(training, labelling, chain, samples):
    """Scores of samples of a machine.

    Args:
        training: run of ``rbm.train`` or ``dbm.train``.
        labelling: training of the labelling convnet.
        chain: steps of a long chain.
        samples: how many are scored.

    Returns:
        Dict: "one_step/states/frechet" and so on, by start, kind and ``MEASURES``; and, after
        start and kind, "images" (10, 784), uint8.
    """
    source, of_rbm = training.recipe.source, isinstance(training.recipe, rbm.Recipe)
    rows, _ = data.mnist.test_rows(source, samples)
    board, found = scoreboard.board(labelling, source, samples), {}
    machine = rbm.rbm_of(training) if of_rbm else dbm.machine_of(training)
    step = machine.reconstruct if of_rbm else machine.sample
    for kind in KINDS:
        grey = {"probabilities": kind == "probabilities"}
        for start, images in (("one_step", step(rows, steps=1, **grey)),
                              ("long_chains", machine.sample(samples, chain, **grey))):
            scores = board.score(images)
            found |= {f"{start}/{kind}/{name}": scores[name] for name in MEASURES}
            found[f"{start}/{kind}/images"] = scoreboard.to_bytes(images[:10])
    return found


def score_digits(labelling, source, samples):
    """The scores of as many binary test digits, from ``Scoreboard.score``."""
    rows, _ = data.mnist.test_rows(source, samples)
    return scoreboard.board(labelling, source, samples).score(data.mnist.binary(rows))


def judge(quality, digits):
    """Verdicts from dicts of measures: by (machine, start, kind), and of binary test digits."""
    ways = [(start, kind) for start in STARTS for kind in KINDS]

    def distance(machine, *way):
        return quality[(machine, *way)]["frechet"]

    better = [distance("DBM", *way) < distance("RBM", *way) for way in ways]
    published = (distance("DBM", "long_chains", "probabilities")
                 < distance("RBM", "one_step", "states"))
    grey = {(machine, kind): quality[machine, "long_chains", kind]["grey"]
            for machine in MACHINES for kind in KINDS}
    alike = all(grey[machine, "states"] == 0 < grey[machine, "probabilities"]
                for machine in MACHINES)
    return {
        "4.1.7-a": (
            True if all(better) else "artefact" if published else False,
            "Fréchet distance to digits, and share of which the convnet is sure, RBM and DBM: "
            + "; ".join(
                f"{STARTS[start]}, {kind} " + " and ".join(
                    f"{found['frechet']:.3g} ({found['confident']:.0%})"
                    for found in (quality[machine, start, kind] for machine in MACHINES)
                ) for start, kind in ways
            ) + f"; binary test digits {digits['frechet']:.3g} ({digits['confident']:.0%}). As "
            "published, the DBM's probabilities from long chains stand beside the RBM's states "
            "after one step.",
            None if all(better) else "D11",
        ),
        "4.1.7-b": (
            "artefact" if alike else False,
            "Pixels between 0.1 and 0.9: "
            + ", ".join(f"{share:.1%} of the {machine}'s {kind}"
                        for (machine, kind), share in grey.items())
            + ". Either machine has binary pixels as states and smooth edges as probabilities.",
            "D11",
        ),
    }


if __name__ == "__main__":
    command.main("4.1.7", run, PRESETS, __doc__)
