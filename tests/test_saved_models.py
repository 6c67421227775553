"""Generative models that one process saves work in another, which knows them by their module."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from ann_keras.models.dbm import DBM
from ann_keras.models.gan import GAN
from ann_keras.models.rbm import BernoulliRBM
from ann_keras.models.vae import VAE

pytestmark = pytest.mark.usefixtures("untraced")

LOAD = """
import sys
import keras, numpy as np, tensorflow as tf
from ann_keras.models import dbm, gan, rbm, vae  # registers the classes
tf.config.run_functions_eagerly(True)
folder = sys.argv[1]
given = np.load(folder + "/given.npz")
noise, digits, rows = given["noise"], given["digits"], given["rows"]

def load(name):
    return keras.saving.load_model(f"{folder}/{name}.keras")

found = {}
machine = load("rbm")
found["hidden"] = machine.transform(rows)
machine.set_params(n_iter=2, warm_start=True).fit(rows)
assert len(machine.pseudo_likelihood_) == 2 and machine.get_params()["momentum"] == 0.25

machine = load("dbm")
found["means"] = machine.mean_field(rows)[1]
assert machine.sizes == (5, 4, 3) and machine.particles == 7
machine.fit(rows)

model = load("vae")
assert model.binarize and model.hidden_dim == [16, 8]
found |= {"sample": model.sample(5), "seen": model(rows),
          "elbo": model.elbo(rows), "bound": model.log_likelihood(rows, 9)}
model.fit(rows, verbose=0)

for backbone in ("dense", "conv"):
    generator, discriminator = load(backbone + "_generator"), load(backbone + "_discriminator")
    found |= {backbone + "_images": generator(noise), backbone + "_logits": discriminator(digits),
              backbone + "_again": discriminator(digits)}
np.savez(folder + "/found.npz", **found)
"""


def test_saved_models_work_in_a_new_process(tmp_path):
    random = np.random.default_rng(0)
    rows = (random.random((20, 5)) < 0.5).astype("float32")
    digits = random.random((4, 28, 28, 1), dtype="float32")
    noise = random.normal(size=(4, 10)).astype("float32")
    np.savez(tmp_path / "given.npz", rows=rows, digits=digits, noise=noise)

    generator = np.random.RandomState(0)
    rbm = BernoulliRBM(4, n_iter=2, random_state=generator, momentum=0.25).fit(rows)
    dbm = DBM((5, 4, 3), particles=7).fit(rows)
    vae = VAE(2, (16, 8), pixels=5, binarize=True)
    vae.compile(keras.optimizers.Adam(1e-2))
    vae.fit(rows, verbose=0)
    gans = {backbone: GAN(backbone) for backbone in ("dense", "conv")}
    models = {"rbm": rbm, "dbm": dbm, "vae": vae}
    for backbone, gan in gans.items():
        gan.compile()
        gan.train_step(digits)
        models |= {f"{backbone}_generator": gan.generator,
                   f"{backbone}_discriminator": gan.discriminator}
    for name, model in models.items():
        model.save(tmp_path / f"{name}.keras")

    result = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    found = np.load(tmp_path / "found.npz")
    expected = {
        "hidden": rbm.transform(rows), "means": dbm.mean_field(rows)[1], "sample": vae.sample(5),
        "seen": vae(rows), "elbo": vae.elbo(rows),
        "bound": vae.log_likelihood(rows, 9),
        "conv_logits": gans["conv"].discriminator(digits, training=False),
    } | {f"{name}_images": gan.decode(noise, raw=True) for name, gan in gans.items()}
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-6, err_msg=name)
    for backbone in gans:
        varies = np.abs(found[f"{backbone}_logits"] - found[f"{backbone}_again"]).max() > 1e-6
        assert varies == (backbone == "dense"), "published dropout stays on"
