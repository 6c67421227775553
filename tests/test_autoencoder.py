"""The stacked autoencoder: what each phase trains and on what, and its recipe."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from ann_keras.data import mnist
from ann_keras.models.autoencoder import StackedAutoencoder
from ann_keras.models.weights import restore
from ann_keras.recipes import autoencoder as recipes
from ann_keras.training import compiled

pytestmark = pytest.mark.usefixtures("untraced")

INPUTS = 12


def images(number=60, seed=0):
    """Rows that are noisy copies of three patterns, and the number of the pattern, one-hot."""
    random = np.random.default_rng(seed)
    patterns = np.random.default_rng(99).random((3, INPUTS))
    labels = random.integers(0, 3, number)
    noise = random.normal(0, 0.05, (number, INPUTS))
    x = np.clip(patterns[labels] + noise, 0, 1).astype("float32")
    return x, np.eye(3, dtype="float32")[labels]


@pytest.fixture
def stack():
    keras.utils.set_random_seed(0)
    return StackedAutoencoder((8, 5), classes=3, inputs=INPUTS)


def adam():
    return keras.optimizers.Adam(0.01)


def weights(stack):
    """Copies of all kernels and biases, by the names of the layers."""
    return {
        layer.name: layer.get_weights()
        for model in (stack.classifier, *stack.autoencoders) for layer in model.layers
        if layer.weights
    }


def moved(stack, before):
    """Names of the layers of which every array differs from before."""
    after = weights(stack)
    changed = {
        name: [bool((a != b).any()) for a, b in zip(after[name], before[name])] for name in after
    }
    assert all(all(flags) == any(flags) for flags in changed.values()), "kernel and bias together"
    return {name for name, flags in changed.items() if all(flags)}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def recorder(calls):
    """A ``fit`` that notes what it is given and trains nothing."""

    def fit(model, x, y, **options):
        calls.append((model, np.array(x), np.array(y), options))
        return "history"

    return fit


def test_published_parameters():
    stack = StackedAutoencoder((256, 64), classes=10, inputs=784)
    assert stack.classifier.count_params() == 218_058
    assert [layer.units for layer in stack.classifier.layers[1:]] == [256, 64, 10]
    assert stack.classifier.input_shape == (None, 784)
    assert stack.classifier.output_shape == (None, 10)
    first, second = stack.autoencoders
    assert first.count_params() == 784 * 256 + 256 + 256 * 784 + 784
    assert second.count_params() == 256 * 64 + 64 + 64 * 256 + 256
    assert first.input_shape == first.output_shape == (None, 784)
    assert second.input_shape == second.output_shape == (None, 256)


def test_losses_and_defaults():
    stack = StackedAutoencoder()
    assert stack.classifier.count_params() == 218_058
    x, y = np.zeros((2, 784), "float32"), np.eye(10, dtype="float32")[:2]
    stack.pretrain(1, x, optimizer="sgd", fit=recorder([]))
    stack.train_classifier(x, y, optimizer="sgd", fit=recorder([]))
    assert stack.autoencoders[0].loss == "mse"
    assert stack.classifier.loss == "categorical_crossentropy"


def test_initial_weights_are_those_of_pytorch():
    by_name = weights(StackedAutoencoder())
    for name, inputs in (
        ("encoder_1", 784), ("encoder_2", 256), ("probabilities", 64), ("decoder_1", 256),
        ("decoder_2", 64),
    ):
        for array in by_name[name]:
            assert np.abs(array).max() <= inputs**-0.5 * (1 + 1e-6)
            assert array.std() == pytest.approx((3 * inputs) ** -0.5, rel=0.5)


def test_codes_and_reconstructions_are_sigmoids(stack):
    x, _ = images(7)
    w = weights(stack)
    first = sigmoid(x @ w["encoder_1"][0] + w["encoder_1"][1])
    second = sigmoid(first @ w["encoder_2"][0] + w["encoder_2"][1])
    np.testing.assert_array_equal(stack.encode(x, 0), x)
    np.testing.assert_allclose(stack.encode(x, 1), first, atol=1e-6)
    np.testing.assert_allclose(stack.encode(x, 2), second, atol=1e-6)
    np.testing.assert_array_equal(stack.encode(x), stack.encode(x, 2))
    for model, inputs, codes, name in zip(
        stack.autoencoders, (x, first), (first, second), ("decoder_1", "decoder_2")
    ):
        reconstruction = sigmoid(codes @ w[name][0] + w[name][1])
        np.testing.assert_allclose(model(inputs), reconstruction, atol=1e-6)


@pytest.mark.parametrize("fit", [keras.Model.fit, compiled.fit], ids=["keras", "compiled"])
def test_each_phase_moves_its_layers_alone_and_lowers_its_loss(stack, fit):
    x, y = images()
    options = {"fit": fit, "epochs": 3, "batch_size": 60, "verbose": 0}

    def check(phase, names):
        before = weights(stack)
        loss = phase().history["loss"]
        assert moved(stack, before) == names
        assert loss[-1] < loss[0] and len(loss) == 3

    check(lambda: stack.pretrain(1, x, optimizer=adam(), **options), {"encoder_1", "decoder_1"})
    check(lambda: stack.pretrain(2, x, optimizer=adam(), **options), {"encoder_2", "decoder_2"})
    check(
        lambda: stack.train_classifier(x, y, frozen=2, optimizer=adam(), **options),
        {"probabilities"},
    )
    # A frozen encoder learns again where its phase comes.
    check(lambda: stack.pretrain(1, x, optimizer=adam(), **options), {"encoder_1", "decoder_1"})
    check(
        lambda: stack.train_classifier(x, y, optimizer=adam(), **options),
        {"encoder_2", "probabilities"},
    )
    everything = {"encoder_1", "encoder_2", "probabilities"}
    check(lambda: stack.train_classifier(x, y, frozen=0, optimizer=adam(), **options), everything)
    check(lambda: stack.fine_tune(x, y, optimizer=adam(), **options), everything)


def test_second_autoencoder_trains_on_codes_of_the_trained_first(stack):
    x, _ = images()
    untrained = stack.encode(x, 1)
    stack.pretrain(1, x, optimizer=adam(), epochs=3, fit=compiled.fit)
    calls = []
    assert stack.pretrain(2, x, optimizer="sgd", fit=recorder(calls), seed=5) == "history"
    ((model, inputs, targets, options),) = calls
    assert model is stack.autoencoders[1] and options["seed"] == 5
    np.testing.assert_array_equal(inputs, stack.encode(x, 1))
    np.testing.assert_array_equal(targets, inputs)
    assert np.abs(inputs - untrained).max() > 1e-3
    stack.pretrain(1, x, optimizer="sgd", fit=recorder(calls))
    model, inputs, targets, _ = calls[1]
    assert model is stack.autoencoders[0]
    np.testing.assert_array_equal(inputs, x)
    np.testing.assert_array_equal(targets, x)


def test_supervised_phases_start_from_the_weights_of_the_phase_before(stack):
    x, y = images()
    for layer in (1, 2):
        stack.pretrain(layer, x, optimizer=adam(), epochs=3, fit=compiled.fit)
    pretrained, calls = weights(stack), []
    stack.train_classifier(x, y, optimizer="sgd", fit=recorder(calls))
    stack.fine_tune(x, y, optimizer="sgd", fit=recorder(calls))
    assert moved(stack, pretrained) == set()
    for model, inputs, labels, _ in calls:
        assert model is stack.classifier
        np.testing.assert_array_equal(inputs, x)
        np.testing.assert_array_equal(labels, y)
    for layer in (1, 2):
        encoder = stack.classifier.get_layer(f"encoder_{layer}")
        assert encoder is stack.autoencoders[layer - 1].get_layer(f"encoder_{layer}")


def test_decoding_goes_through_the_decoders_from_the_last_to_the_first(stack):
    codes = np.random.default_rng(2).random((7, 5), dtype="float32")
    w = weights(stack)
    below = sigmoid(codes @ w["decoder_2"][0] + w["decoder_2"][1])
    expected = sigmoid(below @ w["decoder_1"][0] + w["decoder_1"][1])
    np.testing.assert_allclose(stack.decode(codes), expected, atol=1e-6)
    for wrong in (codes[:, :4], codes[0]):
        with pytest.raises(ValueError, match=r"codes must be rows of shape \(n, 5\)"):
            stack.decode(wrong)


def test_decoded_codes_are_the_outputs_of_a_single_autoencoder():
    x, _ = images(9)
    stack = StackedAutoencoder((4,), classes=3, inputs=INPUTS)
    np.testing.assert_allclose(
        stack.decode(stack.encode(x)), stack.autoencoders[0](x), atol=1e-6
    )


def test_one_step_of_pretraining_is_gradient_descent_on_the_mean_squared_error(stack):
    x, _ = images(10)
    w = {name: [a.astype("float64") for a in arrays] for name, arrays in weights(stack).items()}
    hidden = sigmoid(x @ w["encoder_1"][0] + w["encoder_1"][1])
    output = sigmoid(hidden @ w["decoder_1"][0] + w["decoder_1"][1])
    history = stack.pretrain(
        1, x, optimizer=keras.optimizers.SGD(0.1), epochs=1, batch_size=10, fit=compiled.fit
    )
    assert history.history["loss"] == [pytest.approx(np.mean((output - x) ** 2), rel=1e-5)]
    delta = 2 * (output - x) / x.size * output * (1 - output)
    expected = w["decoder_1"][0] - 0.1 * hidden.T @ delta
    np.testing.assert_allclose(
        stack.autoencoders[0].get_layer("decoder_1").kernel, expected, atol=1e-7
    )
    below = delta @ w["decoder_1"][0].T * hidden * (1 - hidden)
    np.testing.assert_allclose(
        stack.autoencoders[0].get_layer("encoder_1").kernel,
        w["encoder_1"][0] - 0.1 * x.T @ below, atol=1e-7,
    )


def test_same_weights_same_outputs_in_pytorch(torch):
    import pytorch_networks

    classifier = StackedAutoencoder().classifier
    network = pytorch_networks.BUILDERS["autoencoder_classifier"]()
    x = np.random.default_rng(1).random((16, 784), dtype="float32")
    # Larger weights than the initial ones, so that the outputs differ between images.
    classifier.set_weights([10 * weight for weight in classifier.get_weights()])
    pytorch_networks.copy_weights(classifier, network)
    with torch.no_grad():
        expected = network(torch.tensor(x)).softmax(dim=1).numpy()
    assert expected.std(axis=0).max() > 0.01
    np.testing.assert_allclose(classifier(x), expected, atol=1e-5)


def test_classifier_is_saved_and_loaded(stack, tmp_path):
    x, y = images()
    stack.pretrain(1, x, optimizer="sgd", epochs=1, fit=compiled.fit)
    stack.train_classifier(x, y, optimizer="sgd", epochs=1, fit=compiled.fit)
    stack.classifier.save(tmp_path / "classifier.keras")
    loaded = keras.saving.load_model(tmp_path / "classifier.keras")
    np.testing.assert_array_equal(loaded(x), stack.classifier(x))
    assert [layer.name for layer in loaded.layers] == [
        layer.name for layer in stack.classifier.layers
    ]


@pytest.mark.parametrize(
    "hidden_units, classes, inputs, message",
    [
        ((), 3, 4, "at least one encoder"),
        ((8, 0), 3, 4, "positive sizes"),
        ((8,), 0, 4, "positive sizes"),
        ((8,), 3, 0, "positive sizes"),
    ],
)
def test_bad_sizes(hidden_units, classes, inputs, message):
    with pytest.raises(ValueError, match=message):
        StackedAutoencoder(hidden_units, classes, inputs=inputs)


def test_bad_arguments(stack):
    x, y = images(6)
    for layer in (0, 3, -1):
        with pytest.raises(ValueError, match="numbered 1 to 2"):
            stack.pretrain(layer, x, optimizer="sgd")
    for layer in (-1, 3):
        with pytest.raises(ValueError, match="numbered 1 to 2"):
            stack.encode(x, layer)
    for frozen in (-1, 3):
        with pytest.raises(ValueError, match="frozen encoders must be 0 to 2"):
            stack.train_classifier(x, y, optimizer="sgd", frozen=frozen)
    for wrong in (x[:, :5], x.reshape(6, 3, 4), x[0]):
        with pytest.raises(ValueError, match=r"images must be rows of shape \(n, 12\)"):
            stack.pretrain(1, wrong, optimizer="sgd")
        with pytest.raises(ValueError, match=r"images must be rows of shape \(n, 12\)"):
            stack.fine_tune(wrong, y, optimizer="sgd")
    for wrong in (y.argmax(1), y[:5], y[:, :2]):
        for phase in (stack.train_classifier, stack.fine_tune):
            with pytest.raises(ValueError, match=r"one-hot rows of shape \(6, 3\)"):
                phase(x, wrong, optimizer="sgd")


SMALL = recipes.Recipe(
    hidden_units=(16, 8), images=200, pretraining_epochs=2, classifier_epochs=2,
    fine_tuning_epochs=3, source="sample",
)


def test_runs_are_repeatable_and_seeds_differ():
    first, again, other = (recipes.train(SMALL, seed) for seed in (1, 1, 2))
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])
    assert first["pretraining_1_loss"] != other["pretraining_1_loss"]
    lengths = {name: len(v) for name, v in first.items() if name.endswith("_loss")}
    assert lengths == {
        "pretraining_1_loss": 2, "pretraining_2_loss": 2, "classifier_loss": 2,
        "fine_tuning_loss": 3,
    }


def test_phases_of_a_run_get_their_settings_and_images_drawn_anew(monkeypatch):
    seen, phases = [], []

    def fit(model, x, y, **options):
        still = [layer.name for layer in model.layers[1:] if not layer.trainable]
        rate = round(float(model.optimizer.learning_rate), 6)
        phases.append((model.name, type(model.optimizer).__name__, rate, still))
        seen.append((len(x), np.asarray(x), options))
        return type("History", (), {"history": {"loss": [0.0] * options["epochs"]}})

    monkeypatch.setattr(compiled, "fit", fit)
    result = recipes.train(replace(
        SMALL, images=3_000, validation=1_000, frozen=2, pretraining_optimizer="adam",
        pretraining_rate=0.01, learning_rate=0.5, batch_size=64,
    ), seed=0)
    assert phases == [
        ("autoencoder_1", "Adam", 0.01, []),
        ("autoencoder_2", "Adam", 0.01, []),
        ("stacked_autoencoder", "SGD", 0.5, ["encoder_1", "encoder_2"]),
        ("stacked_autoencoder", "SGD", 0.5, []),
    ]
    assert {(number, options["batch_size"]) for number, _, options in seen} == {(3_000, 64)}
    (x, _), _ = mnist.load("sample")
    training = {row.tobytes() for row in mnist.scale(x).reshape(-1, 784)[:-1_000]}
    drawn = [seen[i][1] for i in (0, 2, 3)]
    assert all({row.tobytes() for row in rows} == training for rows in drawn), "all 3,000"
    assert (drawn[0] != drawn[1]).any() and (drawn[1] != drawn[2]).any()
    assert len({options["seed"] for *_, options in seen}) == 4
    assert result["encoder_change"] == 0 and result["accuracy"] == result["classifier_accuracy"]


def test_validation_images_take_the_place_of_test_images():
    (x, y), (test, labels) = mnist.load("sample")
    training, held_out = recipes._digits("sample", 500)
    assert len(training[0]) == 3_500 and len(held_out[0]) == 500
    np.testing.assert_array_equal(held_out[0], mnist.scale(x[-500:]).reshape(500, 784))
    np.testing.assert_array_equal(held_out[1].argmax(1), y[-500:])
    training, tested = recipes._digits("sample", 0)
    assert len(training[0]) == 4_000
    np.testing.assert_array_equal(tested[1].argmax(1), labels)
    with pytest.raises(ValueError, match="leave none of 4000"):
        recipes._digits("sample", 4_000)


def test_accuracies_are_of_the_trained_network(traced):
    result = recipes.train(replace(
        SMALL, hidden_units=(64,), images=None, pretraining_epochs=0, frozen=0, batch_size=16,
        classifier_epochs=3,
    ), seed=0)
    assert result["pretraining_1_loss"] == [] and result["encoder_change"] == 0
    assert 0.7 < result["classifier_accuracy"] < result["accuracy"]
    assert result["sample_accuracy"] == result["accuracy"], "the sample has 1,000 test images"
    classifier = StackedAutoencoder((64,)).classifier
    restore(classifier, result["weights"])
    _, (x, y) = recipes._digits("sample", 0)
    right = np.argmax(classifier(x), axis=1) == y.argmax(axis=1)
    assert right.mean() == result["accuracy"]
