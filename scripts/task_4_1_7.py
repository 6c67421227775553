"""Task 4.1.7: samples of the RBM and of the DBM, shown alike.

The report sets binary states of the RBM, one Gibbs step from test images, beside probabilities of
the DBM from its long-run particles (D11), and finds the DBM's better and smoother. Here both are
shown both ways, after one step and from long chains, and each is compared with its like. Quality is
the Fréchet distance to training digits on the features of a convnet: of how many samples the
convnet is sure does not tell, since chains that all show one figure can have it sure.

    python scripts/task_4_1_7.py                     about 30 seconds
    python scripts/task_4_1_7.py --preset report     about 5 minutes after tasks 4.1.2 and 4.1.6
"""

from dataclasses import dataclass, replace

from ann_keras import command, data, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import convnet, dbm, rbm

RBM = command.group(rbm.Recipe, "source")


@dataclass(frozen=True)
class Settings:
    recipe: command.flat(dbm.Recipe) = dbm.Recipe()  # of the DBM
    rbm: RBM = rbm.Recipe()  # report
    labelling: convnet.Judge = convnet.LABELLING  # ours: the judge
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
    scoring = {"labelling": labelling, "samples": settings.samples}
    results = {machine: task.repeat(sample, training=group, chain=settings.chain, **scoring)
               for machine, group in runs.items()}
    digits = task.run(score_digits, source=source, **scoring)

    keys = [(machine, start, kind) for kind in KINDS for start in STARTS for machine in MACHINES]
    quality = {key: {name: results[key[0]]["/".join([*key[1:], name])] for name in MEASURES}
               for key in keys}
    for key, found in quality.items():
        for name, values in found.items():
            task.measure("/".join([*key, name]), values)
    for name in MEASURES:
        task.measure(f"test_digits/{name}", digits[name])
    rows = [[*key, *(f"{values.mean():.3f}" for values in found.values())]
            for key, found in quality.items()]
    task.table("samples", ["machine", "start", "shown as", *MEASURES], rows)
    plots.sample_rows(task, "fig20_boltzmann_samples", {
        f"{machine}, {kind}\n{STARTS[start]}": results[machine][0][f"{start}/{kind}/images"]
        for machine, start, kind in keys
    })
    task.decide(judge(quality))


def sample(training, labelling, chain, samples):
    """Scores of so many samples of a machine, a run of ``rbm.train`` or ``dbm.train``.

    Returns:
        Dict: "one_step/states/frechet" and so on, by start, kind and ``MEASURES``; and, after
        start and kind, "images" (10, 784), uint8. Long chains have ``chain`` steps.
    """
    source, found = training.recipe.source, {}
    rows, _ = data.mnist.test_rows(source, samples)
    board = scoreboard.board(labelling, source, samples)
    of_rbm = isinstance(training.recipe, rbm.Recipe)
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


def judge(quality):
    """What the claims are judged by: "frechet" and "grey" (seeds,) by (machine, start, kind)."""
    def differ(kinds):
        rbm, dbm = (quality[machine, "long_chains", kind]["grey"]
                    for machine, kind in zip(MACHINES, kinds))
        return bool((rbm == 0).all() and (dbm > 0).all())

    return {
        "4.1.7-a": {"quality": {
            f"{STARTS[start]}, {kind}": tuple(quality[machine, start, kind]["frechet"]
                                              for machine in MACHINES)
            for kind in KINDS for start in STARTS
        }},
        "4.1.7-b": ({"differ": differ(KINDS)},
                    {"differ": {f"both as {kind}": differ([kind, kind]) for kind in KINDS}}),
    }


if __name__ == "__main__":
    command.main("4.1.7", run, PRESETS, __doc__)
