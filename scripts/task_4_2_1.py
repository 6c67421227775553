"""Task 4.2.1: what the losses of generator and discriminator measure.

The report explains both losses. Here they are read off a trained GAN: the probabilities of being
real that its discriminator gives to digits and to samples, the losses that follow, and those of a
discriminator that cannot tell both apart. The published one drops units even when it is only asked
(D13); the same weights are asked without. A curve shows why the generator's loss is not saturating.

    python scripts/task_4_2_1.py                     about 25 seconds, 4,000 digits
    python scripts/task_4_2_1.py --preset report     with the dense GAN of task 4.2.3
"""

from dataclasses import replace

import numpy as np

from ann_keras import command, data, plots
from ann_keras.recipes import convnet, gan
from ann_keras.recipes.fields import one_source

PRESETS = {name: replace(settings, seeds=1) for name, settings in gan.PRESETS.items()}
PROBED = 1_000  # images that the discriminator is asked about without its dropout


def run(task, settings):
    settings = task.settings = one_source(settings)
    labelling = task.run(convnet.train, settings.labelling, seed=0)
    runs = gan.published(task, settings.recipe, labelling)
    asked = task.repeat(gan.score, training=runs, labelling=labelling, samples=settings.samples)
    dropped = task.run(without_dropout, training=runs[0])
    real, fake = asked["real_probability"], asked["fake_probability"]
    for kind, values in (("real", real), ("fake", fake)):
        task.measure(f"{kind}/probability", values.mean(axis=1))
    fooled, known = (np.log(np.maximum(values, 1e-30)).mean(axis=1) for values in (fake, real))
    seen_through = np.log1p(-np.minimum(fake, 1 - 1e-7)).mean(axis=1)
    losses = {"generator": -fooled, "discriminator": -(known + seen_through) / 2}
    for name, values in dropped.items():
        kind, _, plain = name.partition("_")
        task.measure(f"seed_0/{kind}/probability/{'without' if plain else 'with'}_dropout",
                     values.mean(), deviation="D13")
    rows = []
    for network, values in losses.items():
        last = runs[f"{network}_loss"][:, -1]
        task.measure(f"{network}/loss/after_training", values)
        task.measure(f"{network}/loss/last_epoch", last)
        # One that cannot tell gives 1/2 to everything.
        rows.append([network, f"{np.log(2):.3f}", f"{values.mean():.3f}", f"{last.mean():.3f}"])
    task.table("losses", ["network", "cannot tell apart", "after training",
                          "mean of the last epoch"], rows)
    bins, probability = np.linspace(0, 1, 26), np.linspace(0.005, 0.995, 400)
    with plots.figure(task, "what_losses_measure", 2) as (left, right):
        for color, kind, called in (("C0", "real", "digits"), ("C1", "fake", "samples")):
            left.hist(dropped[kind], bins, density=True, color=color, alpha=0.6, label=called)
            left.hist(dropped[f"{kind}_plain"], bins, density=True, color=color, histtype="step",
                      lw=2, label=f"{called}, without dropout (D13)")
        left.set(xlabel="probability of being real, D, seed 0", ylabel="density",
                 ylim=(0, 1.5 * left.get_ylim()[1]))
        right.plot(probability, -np.log(probability), label="−log D, in use")
        right.plot(probability, np.log1p(-probability), label="log(1 − D), saturating")
        right.axvline(0.5, color="grey", ls=":", lw=1)
        right.set(xlabel="D of a sample", ylabel="generator's loss (nats)")


def without_dropout(training):
    """What D13 does: the discriminator of a run of ``gan.train`` with and without its dropout.

    Returns:
        Dict of probabilities of being real, out of training, (1000,): "real" and "fake", with the
        dropout that is always on, "real_plain" and "fake_plain", without.
    """
    import keras

    keras.utils.set_random_seed(0)
    published, plain = gan.model_of(training), gan.model_of(training, corrected=True)
    noise = np.random.default_rng(0).normal(size=(PROBED, published.latent_dim))
    digits = data.mnist.rows(training.recipe.source)[0][:PROBED]
    images = {"real": digits.reshape(-1, 28, 28, 1), "fake": published.decode(noise, raw=True)}
    return {name + suffix: gan.real_probability(model, part)
            for model, suffix in ((published, ""), (plain, "_plain"))
            for name, part in images.items()}


if __name__ == "__main__":
    command.main("4.2.1", run, PRESETS, __doc__)
