"""Task 4.2.4: samples of the dense GAN, counted.

The report looks at a batch, Figure 21(a): mostly 0s, few 4s or 7s, no 1, half of them clear, all
with a noisy background. Here the convnet labels ten thousand samples of each seed. A corrected GAN
(D12, D13) shows where the noise comes from. It is unsteady: one of three seeds collapses at full
size. So the claim about noise is held against a third one, which learns at the rate that Radford
et al. (DCGAN, ICLR 2016, section 4) chose because 1e-3 was "too high", a fifth of it.

    python scripts/task_4_2_4.py                     about 30 seconds, 4,000 digits
    python scripts/task_4_2_4.py --preset report     about two hours and a half, full MNIST
"""

from ann_keras import command, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import convnet, gan

PRESETS = gan.PRESETS
BATCH = 64  # samples that the report looks at, or about as many


def run(task, settings):
    settings, scoring, floor = convnet.begin(task, settings)
    runs = gan.dense(task, settings.recipe, scoring["labelling"])
    scored = {name: task.repeat(gan.score, training=group, **scoring)
              for name, group in runs.items()}
    scores = scoreboard.report(task, scored, floor)
    judged = {name: found for name, found in scores.items() if name != gan.DENSE[1]}
    plots.class_shares(task, "classes", scores, floor)
    plots.walks(task, "walks", scoreboard.first(scored, "walks"))
    plots.sample_grids(task, "samples", scoreboard.first(scored, "images"))
    task.decide(judge(judged))


def judge(scores):
    """What the claims are judged by, from scores by name, dicts of arrays (seeds, …)."""
    published, corrected = scores[gan.DENSE[0]], scores[gan.DENSE[2]]
    classes = published["classes"]
    return {
        "4.2.4-a": {"0 leads": scoreboard.beside_others(classes, 0),
                    "few": {f"{digit}s": classes[:, digit] for digit in (4, 7)},
                    "no 1": (1 - classes[:, 1]) ** BATCH},
        "4.2.4-b": {"clear": published["confident"]},
        "4.2.4-c": ({"noisy": published["noisy"]}, {"noisy": corrected["noisy"]}),
    }


if __name__ == "__main__":
    command.main("4.2.4", run, PRESETS, __doc__)
