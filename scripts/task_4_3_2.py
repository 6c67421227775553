"""Task 4.3.2: noise decoded through a stacked autoencoder and through the VAE.

The report says that a VAE generates by samples from its latent space, and names a loss for either
model. Here noise goes through the decoders of the stacked autoencoder's pre-training: N(0, I) as
in the VAE, uniform noise where sigmoid codes lie, and a Gaussian fitted to the training images'
codes; as pre-trained in task 3.1.1, which hardly moves the weights, and trained well by Adam. The
losses are read off the models (D14).

    python scripts/task_4_3_2.py                     about 30 seconds, 4,000 digits, smaller VAE
    python scripts/task_4_3_2.py --preset report     about ten minutes, with the VAEs of task 4.3.3
"""

from ann_keras import command, experiments
from ann_keras.experiments import settings as shared


PRESETS = shared.DECODING_PRESETS
MODELS = {"published": "pre-trained as published", "adam": "trained by Adam"}
MUCH = 2.0  # times as far from digits, from which on a model does not generate beside another


def run(task, settings):
    vae, samples, decoding = experiments.vae, experiments.samples, experiments.decoding
    board = samples.scoreboard(task, settings)
    variational = vae.trained(task, settings, board, of="4.3.3")
    stacks = {
        "published": decoding.trained(task, settings, board),
        "adam": decoding.by_adam(task, settings, board),
    }
    scores, shown = {}, {}
    for name, runs in stacks.items():
        task.measure(f"autoencoder/{name}/error", [run["error"] for run in runs], better="lower")
        for loss in ("logged", "squared_error", "cross_entropy"):
            task.measure(f"autoencoder/{name}/{loss}", [run[loss] for run in runs])
        for kind, called in decoding.CODES.items():
            scores[name, kind] = decoding.scores(runs, kind)
            samples.measure(task, f"autoencoder/{name}/{kind}", scores[name, kind])
            shown[f"{MODELS[name]}\n{called}"] = runs[0][f"{kind}_images"]
    scores["VAE", "normal"] = samples.scores(variational)
    samples.measure(task, "vae/normal", scores["VAE", "normal"])
    shown["VAE\nN(0, I)"] = variational[0]["images"]
    experiments.gallery.table(
        task, "scores", {f"{MODELS.get(name, name)}: {decoding.CODES[kind]}": found
                         for (name, kind), found in scores.items()},
        board.floor(task, of="4.3.3"),
    )
    experiments.gallery.draw_rows(task, "decoded", shown)
    rows = experiments.boltzmann.digits(settings.source)[1]
    losses = vae.losses(vae.vae_of(variational[0]), rows)
    for loss, value in losses.items():
        task.measure(f"vae/{loss}", value)
    judge(task, scores, stacks["published"][0], losses)


def judge(task, scores, stack, losses):
    frechet = {key: found["frechet"].mean() for key, found in scores.items()}
    sure = {key: found["confident"].mean() for key, found in scores.items()}
    ours = frechet.pop(("VAE", "normal"))
    called = experiments.decoding.CODES
    best = min(value for (_, kind), value in frechet.items() if kind != "codes")
    task.claim(
        "4.3.2-a", True if best >= MUCH * ours else "undecided" if best > ours else False,
        "Fréchet distance to digits and share of samples of which the convnet is sure: VAE "
        f"{ours:.3g}, {sure['VAE', 'normal']:.0%}; "
        + "; ".join(
            f"autoencoder {title}: " + ", ".join(
                f"{called[kind]} {frechet[name, kind]:.3g} ({sure[name, kind]:.0%})"
                for kind in called
            ) for name, title in MODELS.items()
        )
        + f"; noise at {MUCH:g} times the VAE's distance or more counts as not generating. The "
        f"loss that the autoencoder's pre-training logs, {stack['logged']:.4f}, is the squared "
        f"error, {stack['squared_error']:.4f} a pixel, not the cross-entropy, "
        f"{stack['cross_entropy']:.4f}; the VAE's, {losses['logged']:.1f}, is the cross-entropy, "
        f"{losses['cross_entropy']:.1f} nats an image.",
        deviation="D14",
    )


if __name__ == "__main__":
    command.main("4.3.2", run, PRESETS, __doc__)
